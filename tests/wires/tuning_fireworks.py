"""Fireworks' datasets, fine-tuning jobs and deployments as a local service: as they are documented."""

from service import Call, Json, Service, Status

ACCOUNT = "accounts/acme"
BASE = "accounts/fireworks/models/qwen3-8b"
_ENDED = ("JOB_STATE_COMPLETED", "JOB_STATE_FAILED", "JOB_STATE_CANCELLED")


class FireworksService(Service):
    """Each time that a job is looked at, it goes on by one of `states`. What is there is kept by its path."""

    def __init__(self) -> None:
        super().__init__()
        self.url = self.origin
        self.there: dict[str, Json] = {BASE: {"name": BASE, "tunable": True, "state": "READY"}}
        self.states = ["JOB_STATE_CREATING", "JOB_STATE_VALIDATING", "JOB_STATE_RUNNING", "JOB_STATE_COMPLETED"]
        self.dataset_states = ["UPLOADING", "READY"]
        self.deployment_states = ["CREATING", "READY"]
        root = f"/v1/({ACCOUNT})"
        self.on("POST", f"{root}/datasets", self._dataset)
        self.on("POST", f"/v1/({ACCOUNT}/datasets/[^/:]+):upload", self._upload)
        self.on("POST", f"{root}/(supervisedFineTuningJobs|dpoJobs)", self._create)
        self.on("POST", f"/v1/({ACCOUNT}/[^/]+/[^/:]+):cancel", self._cancel)
        self.on("POST", f"{root}/deployments", self._deploy)
        self.on("GET", "/v1/(accounts/[^/]+/[^/]+/[^/]+)", self._get)
        self.on("DELETE", "/v1/(accounts/[^/]+/[^/]+/[^/]+)", self._delete)

    def of(self, kind: str) -> dict[str, Json]:
        """What there is of a kind, such as "datasets", by its id."""
        return {path.rpartition("/")[2]: one for path, one in self.there.items() if path.split("/")[2] == kind}

    def _dataset(self, call: Call) -> Json | Status:
        path = f"{ACCOUNT}/datasets/{call.body['datasetId']}"
        if path in self.there:
            return _refused(409, 6, "already exists")
        assert call.body["dataset"]["userUploaded"] == {}
        self.there[path] = {"name": path, "state": "UPLOADING", "status": {"code": "OK"}, **call.body["dataset"]}
        return self.there[path]

    def _upload(self, call: Call) -> Json | Status:
        dataset = self.there.get(call.found[0])
        if dataset is None:
            return _refused(404, 5, "not found")
        assert b'name="file"; filename=' in call.raw
        dataset["uploaded"] = len(call.raw)
        return {"id": call.found[0], "object": "file", "bytes": len(call.raw)}

    def _create(self, call: Call) -> Json | Status:
        kind = call.found[1]
        id = call.query[{"dpoJobs": "dpoJobId"}.get(kind, "supervisedFineTuningJobId")]
        path = f"{ACCOUNT}/{kind}/{id}"
        if path in self.there:
            return _refused(409, 6, "already exists")
        if call.body["dataset"] not in self.there:
            return _refused(400, 3, "no such dataset")
        self.there[path] = {"name": path, "state": self.states[0], "status": {"code": "OK"}, "looks": 0, **call.body}
        return self.there[path]

    def _cancel(self, call: Call) -> Json | Status:
        job = self.there.get(call.found[0])
        if job is None:
            return _refused(404, 5, "not found")
        if job["state"] in _ENDED:
            return _refused(400, 9, "it has ended")
        job["state"] = "JOB_STATE_CANCELLED"
        return {}

    def _deploy(self, call: Call) -> Json:
        path = f"{ACCOUNT}/deployments/{call.query['deploymentId']}"
        self.there[path] = {"name": path, "state": self.deployment_states[0], "looks": 0, **call.body}
        return self.there[path]

    def _get(self, call: Call) -> Json | Status:
        found = self.there.get(call.found[0])
        if found is None:
            return _refused(404, 5, "not found")
        kind = call.found[0].split("/")[2]
        if kind == "datasets" and "uploaded" in found:
            seen = found["looks"] = found.get("looks", 0) + 1
            found["state"] = self.dataset_states[min(seen, len(self.dataset_states)) - 1]
            if found["state"] == "BROKEN":
                found |= {"state": "UPLOADING", "status": {"code": "INVALID_ARGUMENT", "message": "line 3"}}
        if kind in ("supervisedFineTuningJobs", "dpoJobs") and found["state"] not in _ENDED:
            found["state"] = self.states[min(found["looks"], len(self.states) - 1)]
            found["looks"] += 1
            found["jobProgress"] = {"percent": 40}
            if found["state"] == "JOB_STATE_FAILED":
                found["status"] = {"code": "RESOURCE_EXHAUSTED", "message": "the job ran out of memory"}
        if kind == "deployments":
            found["looks"] += 1
            found["state"] = self.deployment_states[min(found["looks"], len(self.deployment_states) - 1)]
        return found

    def _delete(self, call: Call) -> Json | Status:
        return {} if self.there.pop(call.found[0], None) else _refused(404, 5, "not found")


def _refused(status: int, code: int, message: str) -> Status:
    return Status(status, {"code": code, "message": message, "details": []})
