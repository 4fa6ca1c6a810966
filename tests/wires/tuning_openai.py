"""OpenAI's files and fine-tuning jobs, and Azure's deployments, as a local service: states as they are documented."""

import re
from typing import Any

from service import Call, Json, Service, Status

_FILENAME = re.compile(rb'name="file"; filename="([^"]+)"')
ACCOUNT = "/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/res"
_STEPS = 4


class TuningService(Service):
    """Each time that a job is looked at, it goes on by one of `states`."""

    def __init__(self) -> None:
        super().__init__()
        self.url = f"{self.origin}/v1"
        self.azure_url = f"{self.origin}/openai/v1"
        self.files: dict[str, Json] = {}
        self.jobs: dict[str, Json] = {}
        self.deployments: dict[str, Json] = {}
        self.states = ["validating_files", "queued", "running", "succeeded"]
        self.error: Json | None = None
        self.knows_metadata = True
        self.file_status = ["uploaded", "processed"]
        self.validation = [2.0, 1.5, 1.6, 1.7]
        for root in ("/v1", "/openai/v1"):
            self._serve_at(root)
        place = f"{ACCOUNT}/deployments/([^/]+)"
        self.on("GET", place, self._deployment).on("PUT", place, self._deploy).on("DELETE", place, self._undeploy)

    def _serve_at(self, root: str) -> None:
        jobs = f"{root}/fine_tuning/jobs"
        self.on("POST", f"{root}/files", self._upload)
        self.on("GET", f"{root}/files", lambda call: _listed(self.files.values()))
        self.on("GET", f"{root}/files/([^/]+)", self._file)
        self.on("DELETE", f"{root}/files/([^/]+)", self._delete)
        self.on("POST", jobs, self.create)
        self.on("GET", jobs, self._list)
        self.on("GET", f"{jobs}/([^/]+)", self._retrieve)
        self.on("POST", f"{jobs}/([^/]+)/cancel", self._cancel)
        self.on("GET", f"{jobs}/([^/]+)/events", self._events)
        self.on("GET", f"{jobs}/([^/]+)/checkpoints", self._checkpoints)

    # files

    def _upload(self, call: Call) -> Json:
        id, name = f"file-{len(self.files) + 1}", _FILENAME.search(call.raw)
        assert name
        told = {"id": id, "object": "file", "bytes": len(call.raw), "created_at": 1, "purpose": "fine-tune"}
        self.files[id] = {**told, "filename": name[1].decode(), "status": self.file_status[0], "looks": 0}
        return self.files[id]

    def _file(self, call: Call) -> Json | Status:
        file = self.files.get(call.found[0])
        if file is None:
            return _missing()
        file["looks"] += 1
        file["status"] = self.file_status[min(file["looks"], len(self.file_status)) - 1]
        return file

    def _delete(self, call: Call) -> Json | Status:
        if self.files.pop(call.found[0], None) is None:
            return _missing()
        return {"id": call.found[0], "object": "file", "deleted": True}

    # jobs

    def create(self, call: Call) -> Json | Status:
        """Begins a job."""
        if call.body["training_file"] not in self.files:
            return Status(400, {"error": {"message": "no such file", "code": "invalid_training_file"}})
        id = f"ftjob-{len(self.jobs) + 1}"
        told = {"id": id, "object": "fine_tuning.job", "created_at": 1, "organization_id": "org", "result_files": []}
        fresh = {"status": self.states[0], "fine_tuned_model": None, "trained_tokens": None, "looks": 0}
        sent = {key: value for key, value in call.body.items() if key != "metadata" or self.knows_metadata}
        self.jobs[id] = {"hyperparameters": {"n_epochs": "auto"}, "seed": 1, **told, **fresh, **sent}
        return self.jobs[id]

    def _list(self, call: Call) -> Json:
        wanted = call.query.get("metadata[persona_job]")
        fits = (
            job for job in self.jobs.values() if not self.knows_metadata or job["metadata"].get("persona_job") == wanted
        )
        return _listed(fits)

    def _retrieve(self, call: Call) -> Json | Status:
        job = self.jobs.get(call.found[0])
        if job is None:
            return _missing()
        if job["status"] not in ("succeeded", "failed", "cancelled"):
            job["status"] = self.states[min(job["looks"], len(self.states) - 1)]
            job["looks"] += 1
        if job["status"] == "succeeded":
            job |= {"fine_tuned_model": f"ft:{job['model']}:org:{job.get('suffix', '')}:abc", "trained_tokens": 900}
        if job["status"] == "failed":
            job["error"] = self.error or {"code": "server_error", "message": "it failed", "param": None}
        return job

    def _cancel(self, call: Call) -> Json | Status:
        job = self.jobs.get(call.found[0])
        if job is None:
            return _missing()
        if job["status"] in ("succeeded", "failed", "cancelled"):
            return Status(400, {"error": {"message": "it has ended", "code": None, "type": "invalid_request_error"}})
        job["status"] = "cancelled"
        return job

    def _events(self, call: Call) -> Json:
        job = self.jobs[call.found[0]]
        events: list[Json] = [_event(0, "message", "created", None)]
        if job["status"] in ("running", "succeeded"):
            reached = _STEPS if job["status"] == "succeeded" else 2
            for step in range(1, reached + 1):
                data = {"step": step, "total_steps": _STEPS, "train_loss": 2.5 / step, "valid_loss": 9.0}
                data["full_valid_loss"] = self.validation[step - 1]
                events.append(_event(step, "metrics", f"Step {step}", data))
        return _listed(reversed(events))

    def _checkpoints(self, call: Call) -> Json:
        job = self.jobs[call.found[0]]
        steps = range(2, _STEPS + 1) if job["status"] == "succeeded" else range(0)
        return _listed(
            {
                "id": f"ftckpt-{step}",
                "object": "fine_tuning.job.checkpoint",
                "created_at": 1,
                "fine_tuned_model_checkpoint": f"ft:{job['model']}:org::abc:ckpt-step-{step}",
                "fine_tuning_job_id": job["id"],
                "step_number": step,
                "metrics": {"step": step, "full_valid_loss": self.validation[step - 1], "train_loss": 2.5 / step},
            }
            for step in reversed(steps)
        )

    # Azure's management

    def _deployment(self, call: Call) -> Json | Status:
        made = self.deployments.get(call.found[0])
        if made is None:
            return _missing()
        state, made["properties"]["provisioningState"] = made["properties"]["provisioningState"], "Succeeded"
        return {**made, "properties": {**made["properties"], "provisioningState": state}}

    def _deploy(self, call: Call) -> Status:
        self.deployments[call.found[0]] = call.body
        call.body["properties"]["provisioningState"] = "Creating"
        return Status(201, call.body)

    def _undeploy(self, call: Call) -> Status:
        return Status(200) if self.deployments.pop(call.found[0], None) else Status(204)


def _listed(items: Any) -> Json:
    return {"object": "list", "data": [*items], "has_more": False}


def _event(number: int, type: str, message: str, data: Json | None) -> Json:
    told = {"id": f"ftevent-{number}", "object": "fine_tuning.job.event", "created_at": number, "level": "info"}
    return {**told, "type": type, "message": message, "data": data}


def _missing() -> Status:
    return Status(404, {"error": {"message": "no such thing", "code": None, "type": "invalid_request_error"}})
