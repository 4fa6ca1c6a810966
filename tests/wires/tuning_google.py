"""Vertex' tuning jobs and endpoints, and Cloud Storage's JSON API, as a local service."""

import re

from service import Call, Json, Service, Status

PLACE = "projects/proj/locations/us-central1"
_NAME = re.compile(rb'"name": ?"([^"]+)"')


class VertexService(Service):
    """Each time that a job is looked at, it goes on by one of `states`."""

    def __init__(self) -> None:
        super().__init__()
        self.jobs: dict[str, Json] = {}
        self.objects: dict[str, bytes] = {}
        self.endpoints: dict[str, Json] = {}
        self.states = ["JOB_STATE_QUEUED", "JOB_STATE_PENDING", "JOB_STATE_RUNNING", "JOB_STATE_SUCCEEDED"]
        self.error: Json | None = None
        jobs = f"/v1beta1/{PLACE}/tuningJobs"
        self.on("POST", "/token", lambda call: {"access_token": "tok", "expires_in": 3600, "token_type": "Bearer"})
        self.on("POST", jobs, self.create).on("GET", jobs, self._list)
        self.on("GET", f"/v1beta1/({PLACE}/tuningJobs/\\d+)", self._retrieve)
        self.on("POST", f"/v1beta1/({PLACE}/tuningJobs/\\d+):cancel", self._cancel)
        self.on("POST", "/upload/storage/v1/b/bkt/o", self._upload)
        self.on("DELETE", "/storage/v1/b/bkt/o/(.+)", self._delete)
        endpoint = f"/v1/({PLACE}/endpoints/\\d+)"
        self.on("GET", endpoint, lambda call: self.endpoints.get(call.found[0]) or _missing())
        self.on("POST", f"{endpoint}:undeployModel", self._undeploy).on("DELETE", endpoint, self._drop)

    def create(self, call: Call) -> Json | Status:
        """Begins a job."""
        spec = call.body.get("supervisedTuningSpec") or call.body["preferenceOptimizationSpec"]
        if spec["trainingDatasetUri"].removeprefix("gs://bkt/") not in self.objects:
            return Status(400, {"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "no such object"}})
        name = f"{PLACE}/tuningJobs/{len(self.jobs) + 55}"
        self.jobs[name] = {"name": name, "state": "JOB_STATE_QUEUED", "looks": 0, **call.body}
        return _shown(self.jobs[name])

    def _list(self, call: Call) -> Json:
        return {"tuningJobs": [_shown(job) for job in reversed(self.jobs.values())]}

    def _retrieve(self, call: Call) -> Json | Status:
        job = self.jobs.get(call.found[0])
        if job is None:
            return _missing()
        if job["state"] not in ("JOB_STATE_SUCCEEDED", "JOB_STATE_FAILED", "JOB_STATE_CANCELLED"):
            job["state"] = self.states[min(job["looks"], len(self.states) - 1)]
            job["looks"] += 1
            if job["state"] == "JOB_STATE_RUNNING":
                job["tuningJobState"] = "TUNING_JOB_STATE_WAITING_FOR_CAPACITY"
            if job["state"] == "JOB_STATE_SUCCEEDED":
                self._finish(job)
            if job["state"] == "JOB_STATE_FAILED":
                job["error"] = self.error
        return _shown(job)

    def _finish(self, job: Json) -> None:
        for number in (77, 78):
            name = f"{PLACE}/endpoints/{number}"
            self.endpoints[name] = {"name": name, "deployedModels": [{"id": str(number)}]}
        one, two = self.endpoints
        checkpoints = [{"checkpointId": "1", "epoch": "1", "step": "10", "endpoint": one}]
        checkpoints.append({"checkpointId": "2", "epoch": "2", "step": "20", "endpoint": two})
        job["tunedModel"] = {"model": f"{PLACE}/models/9@1", "endpoint": two, "checkpoints": checkpoints}
        job["experiment"] = f"{PLACE}/metadataStores/default/contexts/tuning-9"
        job["tuningDataStats"] = {"supervisedTuningDataStats": {"totalBillableTokenCount": "900"}}

    def _cancel(self, call: Call) -> Json | Status:
        job = self.jobs.get(call.found[0])
        if job is None:
            return _missing()
        if job["state"] in ("JOB_STATE_SUCCEEDED", "JOB_STATE_FAILED", "JOB_STATE_CANCELLED"):
            return Status(400, {"error": {"code": 400, "status": "FAILED_PRECONDITION", "message": "it has ended"}})
        job["state"] = "JOB_STATE_CANCELLED"
        return {}

    # Cloud Storage

    def _upload(self, call: Call) -> Json:
        name = _NAME.search(call.raw)
        assert name
        self.objects[name[1].decode()] = call.raw
        return {"kind": "storage#object", "name": name[1].decode(), "bucket": "bkt", "generation": "1"}

    def _delete(self, call: Call) -> Status:
        name = call.found[0].replace("%2F", "/")
        return Status(204) if self.objects.pop(name, None) else _missing()

    # endpoints

    def _undeploy(self, call: Call) -> Json:
        self.endpoints[call.found[0]]["deployedModels"] = []
        return {"name": "operations/1", "done": True}

    def _drop(self, call: Call) -> Json | Status:
        if self.endpoints[call.found[0]]["deployedModels"]:
            return Status(400, {"error": {"code": 400, "status": "FAILED_PRECONDITION", "message": "in use"}})
        del self.endpoints[call.found[0]]
        return {"name": "operations/2", "done": True}


def _shown(job: Json) -> Json:
    return {key: value for key, value in job.items() if key != "looks" and value is not None}


def _missing() -> Status:
    return Status(404, {"error": {"code": 404, "status": "NOT_FOUND", "message": "no such thing"}})
