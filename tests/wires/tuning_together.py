"""Together's files and fine-tuning jobs as a local service: shapes and states as they are documented."""

import re
from typing import Any

from service import Call, Json, Service, Status

_FILENAME = re.compile(rb'name="file"; filename="([^"]+)"')
_STEPS = 4
_ENDED = ("completed", "error", "cancelled")
_DAY = "2026-11-21T12:00:00Z"


class TogetherService(Service):
    """Each time that a job is looked at, it goes on by one of `states`."""

    def __init__(self) -> None:
        super().__init__()
        self.url = f"{self.origin}/v1"
        self.files: dict[str, Json] = {}
        self.jobs: dict[str, Json] = {}
        self.models = {"Qwen/Qwen3.5-9B"}
        self.states = ["pending", "queued", "running", "completed"]
        self.file_status = ["RUNNING", "COMPLETED"]
        self.validation = [2.0, 1.5, 1.6, 1.7]
        self.on("POST", "/v1/files/upload", self._upload)
        self.on("GET", "/v1/files", lambda call: {"data": [*self.files.values()]})
        self.on("GET", "/v1/files/([^/]+)", self._file).on("DELETE", "/v1/files/([^/]+)", self._delete)
        self.on("GET", "/v1/fine-tunes/models/limits", self._limits)
        self.on("POST", "/v1/fine-tunes", self._create)
        self.on("GET", "/v1/fine-tunes", lambda call: {"data": [*self.jobs.values()]})
        self.on("GET", "/v1/fine-tunes/([^/]+)", self._retrieve)
        self.on("POST", "/v1/fine-tunes/([^/]+)/cancel", self._cancel)
        self.on("GET", "/v1/fine-tunes/([^/]+)/events", self._events)
        self.on("GET", "/v1/fine-tunes/([^/]+)/metrics", self._metrics)
        self.on("GET", "/v1/fine-tunes/([^/]+)/checkpoints", self._checkpoints)

    def _upload(self, call: Call) -> Json:
        id, name = f"file-{len(self.files) + 1}", _FILENAME.search(call.raw)
        assert name
        assert b'name="purpose"\r\n\r\nfine-tune' in call.raw
        told = {"id": id, "object": "file", "bytes": len(call.raw), "created_at": 1, "purpose": "fine-tune"}
        self.files[id] = {**told, "filename": name[1].decode(), "FileType": "jsonl", "processing_status": "PENDING"}
        return self.files[id]

    def _file(self, call: Call) -> Json | Status:
        file = self.files.get(call.found[0])
        if file is None:
            return _missing()
        seen = sum(one.method == "GET" and one.path == call.path for one in self.calls)
        file["processing_status"] = self.file_status[min(seen, len(self.file_status)) - 1]
        return file

    def _delete(self, call: Call) -> Json | Status:
        if self.files.pop(call.found[0], None) is None:
            return _missing()
        return {"id": call.found[0], "deleted": True}

    def _limits(self, call: Call) -> Json | Status:
        if call.query["model_name"] not in self.models:
            return _missing()
        return {"model_name": call.query["model_name"], "max_num_epochs": 20, "supports_full_training": False}

    def _create(self, call: Call) -> Json:
        id = f"ft-{len(self.jobs) + 1}"
        told = {"id": id, "status": self.states[0], "created_at": _DAY, "updated_at": _DAY, "user_id": "u"}
        self.jobs[id] = {**call.body, **told, "looks": 0}
        return self.jobs[id]

    def _retrieve(self, call: Call) -> Json | Status:
        job = self.jobs.get(call.found[0])
        if job is None:
            return _missing()
        if job["status"] not in _ENDED:
            job["status"] = self.states[min(job["looks"], len(self.states) - 1)]
            job["looks"] += 1
        if job["status"] == "completed":
            job |= {"model_output_name": f"org/Qwen3.5-9B-{job.get('suffix', 'x')}-abc", "token_count": 900}
        return job

    def _cancel(self, call: Call) -> Json | Status:
        job = self.jobs.get(call.found[0])
        if job is None:
            return _missing()
        if job["status"] in _ENDED:
            return Status(400, {"error": {"message": "it has ended", "type": "invalid_request_error", "code": None}})
        job["status"] = "cancelled"
        return job

    def _events(self, call: Call) -> Json:
        job = self.jobs[call.found[0]]
        events = [_event("job_pending", "Job queued"), _event("training_start", "Training", total_steps=_STEPS)]
        if job["status"] == "error":
            events.append(_event("job_error", "the job ran out of memory", level="error"))
        return {"data": events}

    def _metrics(self, call: Call) -> Json:
        reached = {"running": 2, "completed": _STEPS}.get(self.jobs[call.found[0]]["status"], 0)
        train = [{"train/global_step": float(n), "train/loss": 2.5 / n} for n in range(1, reached + 1)]
        evals = [{"train/global_step": float(n), "eval/loss": self.validation[n - 1]} for n in range(1, reached + 1)]
        return {"metrics": [*train, *evals]}

    def _checkpoints(self, call: Call) -> Json:
        steps = range(2, _STEPS + 1) if self.jobs[call.found[0]]["status"] == "completed" else range(0)
        return {
            "data": [
                {"checkpoint_type": f"step {n}", "created_at": _DAY, "path": f"s3://ckpt/{n}", "step": n} for n in steps
            ]
        }


def _event(type: str, message: str, **more: Any) -> Json:
    return {"object": "fine-tune-event", "created_at": _DAY, "type": type, "message": message, **more}


def _missing() -> Status:
    return Status(404, {"error": {"message": "no such thing", "type": "not_found_error", "code": "not_found"}})
