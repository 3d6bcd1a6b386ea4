"""Models in MLflow: each training is a run, each model a registered version, and the alias ``champion`` serves.

Files go up as plain artifacts, in their native formats; nothing is pickled and nothing is loaded by MLflow itself.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from watthour.core.errors import InvalidInput, MissingExtra, ModelCorrupt, ModelError, ModelNotFound
from watthour.core.lock import locked
from watthour.core.manifest import MANIFEST_FILE, check_files, from_json, to_json
from watthour.core.model import Manifest, Promotion, Trial, digest
from watthour.registry.manifest import (
    not_found,
    safe_file,
    safe_name,
    standing,
    trial_as_json,
    trial_begun,
    trial_ended,
    trial_of_json,
)

try:
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param, RunTag
    from mlflow.exceptions import MlflowException
except ImportError as error:
    raise MissingExtra("mlflow", "mlops") from error

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager

ALIAS = "champion"
ARTIFACTS = "model"
VERSION_TAG = "watthour.version"  # MLflow counts versions 1, 2, 3; ours says recipe, time and data
MANIFEST_TAG = "watthour.manifest"
PROMOTIONS_TAG = "watthour.promotions"
TRIAL_TAG = "watthour.trial"
KEPT_PROMOTIONS = 100
_PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "20"}  # [-], [s]
_PER_BATCH = 100  # parameters and tags that MLflow takes at once


class MlflowRegistry:
    """A registry on an MLflow tracking server, or on its database without a server.

    Args:
        uri: of the tracking server, or of a database such as ``sqlite:///mlflow.db``.
        artifacts: where files go when there is no server to decide that.
    """

    def __init__(self, uri: str, *, artifacts: Path) -> None:
        self._has_server = uri.startswith(("http://", "https://"))
        if self._has_server:  # else MLflow asks a server that does not answer for a quarter of an hour
            for name, value in _PATIENCE.items():
                os.environ.setdefault(name, value)
        self._artifacts = artifacts
        try:
            self._client = MlflowClient(tracking_uri=uri, registry_uri=uri)
        except MlflowException as error:
            raise _unusable(error) from error

    def save(self, manifest: Manifest, files: Mapping[str, bytes]) -> Manifest:
        """Log a training as a run and keep its model as a registered version.

        Raises:
            InvalidInput: the version exists with other files, or a name could lead out of the registry.
            ModelError: MLflow cannot be used.
        """
        safe_name("model", manifest.name)
        safe_name("version", manifest.version)
        hashes = {safe_file(name): digest(content) for name, content in sorted(files.items())}
        kept = replace(manifest, hashes=hashes)
        if (existing := self._find(manifest.name, manifest.version)) is not None:
            if self._manifest(existing).hashes == hashes:
                return kept
            raise InvalidInput(
                "version", kept.version, "this version exists with other files", remedy="A saved version never changes."
            )
        run_id = self._log_run(kept, files)
        try:
            self._client.create_registered_model(kept.name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise _unusable(error) from error
        source = f"{self._client.get_run(run_id).info.artifact_uri}/{ARTIFACTS}"
        tags = {VERSION_TAG: kept.version, MANIFEST_TAG: to_json(kept)}
        self._client.create_model_version(kept.name, source, run_id=run_id, tags=tags)
        return kept

    def load(self, name: str, version: str | None = None) -> tuple[Manifest, Mapping[str, bytes]]:
        """Return a model's manifest and files, hashes checked; no version means the champion.

        Raises:
            ModelNotFound: no such name or version, or no champion yet.
            ModelCorrupt: the files cannot be fetched, or one differs from its hash.
        """
        found = self._champion(name) if version is None else self._find(name, version)
        if found is None:
            raise not_found(name, version, [str(each.tags.get(VERSION_TAG)) for each in self._versions(name)])
        manifest = self._manifest(found)
        with TemporaryDirectory() as directory:
            try:
                place = Path(self._client.download_artifacts(found.run_id, ARTIFACTS, directory))
            except (MlflowException, OSError) as error:
                problem = f"the files of {name} {manifest.version} cannot be fetched from MLflow ({error})"
                raise ModelCorrupt(problem, remedy="Go back with `watthour models rollback`.") from error
            files = {each: (place / each).read_bytes() for each in manifest.hashes if (place / each).is_file()}
        check_files(manifest, files, where=f"MLflow run {found.run_id}")
        return manifest, files

    def manifests(self, name: str | None = None) -> list[Manifest]:
        """Return what is kept and can be read, newest first.

        Raises:
            ModelError: MLflow cannot be used.
        """
        found, _ = self._readable(name)
        return sorted(found, key=lambda manifest: (manifest.created_at, manifest.version), reverse=True)

    def damaged(self, name: str | None = None) -> list[ModelCorrupt]:
        """Return what is kept but cannot be read: one error each, with its cure."""
        return self._readable(name)[1]

    def champion(self, name: str) -> str | None:
        """Return the version that serves, if any."""
        found = self._champion(name)
        return None if found is None else str(found.tags[VERSION_TAG])

    def promote(self, name: str, version: str, *, now: datetime, reason: str) -> None:
        """Move the alias; the version it pointed to is remembered.

        Raises:
            ModelNotFound: no such name or version.
        """
        found = self._find(name, version)
        if found is None:
            raise not_found(name, version, [str(each.tags.get(VERSION_TAG)) for each in self._versions(name)])
        with self._promoting(name):
            if self.champion(name) != version:
                self._note(name, Promotion(version, now, reason))
                self._client.set_registered_model_alias(name, ALIAS, found.version)

    def rollback(self, name: str, *, now: datetime) -> str:
        """Move the alias back to the champion before this one and return its version.

        Raises:
            ModelNotFound: there was no champion before this one, or it is not kept any more.
        """
        with self._promoting(name):
            champions = standing(self.promotions(name))
            if len(champions) < 2:  # noqa: PLR2004 - the one and the one before
                problem = f"{name} has no champion before the current one"
                raise ModelNotFound(problem, remedy="`watthour models list` shows what could be promoted instead.")
            versions = {str(each.tags[VERSION_TAG]): each for each in self._versions(name)}
            kept = [version for version in champions[:-1] if version in versions]
            if not kept:
                raise not_found(name, champions[-2], list(versions))
            self._note(name, Promotion(kept[-1], now, f"rolled back from {champions[-1]}", is_rollback=True))
            self._client.set_registered_model_alias(name, ALIAS, versions[kept[-1]].version)
            return kept[-1]

    def promotions(self, name: str) -> list[Promotion]:
        """Return the last changes of champion, oldest first.

        Raises:
            ModelError: MLflow cannot be used.
        """
        return _promotions(self._tags(name))

    def trial(self, name: str) -> Trial | None:
        """Return the last A/B trial; it runs while its ``until`` is None.

        Raises:
            ModelError: MLflow cannot be used.
        """
        tags = self._tags(name)
        if TRIAL_TAG not in tags:
            return None
        kept = json.loads(tags[TRIAL_TAG])
        trial, story = trial_of_json(kept), _as_lists(_promotions(tags))
        if trial.until is None and story[-1:] != kept["after"]:  # another champion has ended it
            n_before = story.index(kept["after"][0]) + 1 if kept["after"] and kept["after"][0] in story else 0
            trial = replace(trial, until=datetime.fromisoformat(str(story[n_before][1])))
        return trial

    def begin_trial(self, name: str, version: str, *, share: float, now: datetime, asked_by: str) -> Trial:
        """Let a version forecast beside the champion; a trial that runs ends, unless only its share changes.

        Raises:
            ModelNotFound: no such version, or no champion to try it against.
            InvalidInput: it is the champion, or the share is not from 0 to 1.
        """
        if self._find(name, version) is None:
            raise not_found(name, version, [str(each.tags.get(VERSION_TAG)) for each in self._versions(name)])
        with self._promoting(name):
            before, champion = self.trial(name), self.champion(name)
            begun = trial_begun(before, name, champion, version, share=share, now=now, asked_by=asked_by)
            self._keep_trial(name, begun)
        return begun

    def end_trial(self, name: str, *, now: datetime) -> Trial:
        """End the trial that runs and return it; another champion ends it too.

        Raises:
            ModelNotFound: none runs.
        """
        with self._promoting(name):
            ended = trial_ended(self.trial(name), name, now)
            self._keep_trial(name, ended)
        return ended

    def _keep_trial(self, name: str, trial: Trial) -> None:
        """Keep a trial with the last promotion before it: one after it ends the trial by itself."""
        after = _as_lists(self.promotions(name))[-1:]
        self._client.set_registered_model_tag(name, TRIAL_TAG, json.dumps({**trial_as_json(trial), "after": after}))

    def _tags(self, name: str) -> Mapping[str, str]:
        try:
            tags: Mapping[str, str] = self._client.get_registered_model(name).tags
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return {}
            raise _unusable(error) from error
        return tags

    def _promoting(self, name: str) -> AbstractContextManager[None]:
        """Promote one after the other; on a server shared by several machines this holds on each of them alone."""
        return locked(self._artifacts / f".{safe_name('model', name)}.lock")

    def _readable(self, name: str | None) -> tuple[list[Manifest], list[ModelCorrupt]]:
        try:
            names = [name] if name is not None else [each.name for each in self._client.search_registered_models()]
            versions = [version for each in names for version in self._versions(each)]
        except MlflowException as error:
            raise _unusable(error) from error
        found: list[Manifest] = []
        damaged: list[ModelCorrupt] = []
        for version in versions:
            try:
                found.append(self._manifest(version))
            except ModelCorrupt as error:
                damaged.append(error)
        return found, damaged

    def _log_run(self, manifest: Manifest, files: Mapping[str, bytes]) -> str:
        """Log parameters, dates of the splits, metrics and files of a training; return the run's id."""
        started_ms = int(manifest.created_at.timestamp() * 1000)
        run = self._client.create_run(
            self._experiment(manifest.name), start_time=started_ms, run_name=manifest.version
        ).info.run_id
        said: dict[str, object] = {"recipe": manifest.recipe, **manifest.parameters}
        for split, span in manifest.splits.items():
            said |= {f"split.{split}.start": span.start.isoformat(), f"split.{split}.end": span.end.isoformat()}
        parameters = [Param(key, value if isinstance(value, str) else json.dumps(value)) for key, value in said.items()]
        metrics = [Metric(key, value, started_ms, 0) for key, value in manifest.metrics.items()]
        tags = [
            RunTag("data_fingerprint", manifest.data_fingerprint),
            RunTag("n_features", str(len(manifest.features))),
            RunTag(VERSION_TAG, manifest.version),
        ]
        for batch in _batches(parameters):
            self._client.log_batch(run, params=batch)
        self._client.log_batch(run, metrics=metrics, tags=tags)
        with TemporaryDirectory() as directory:
            for name, content in files.items():
                place = Path(directory) / name
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(content)
            (Path(directory) / MANIFEST_FILE).write_text(to_json(manifest), encoding="utf-8")
            self._client.log_artifacts(run, directory, ARTIFACTS)
        self._client.set_terminated(run, "FINISHED")
        return str(run)

    def _experiment(self, name: str) -> str:
        found = self._client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        if self._has_server:
            return str(self._client.create_experiment(name))
        place = self._artifacts / name
        place.mkdir(parents=True, exist_ok=True)
        return str(self._client.create_experiment(name, artifact_location=place.as_uri()))

    def _versions(self, name: str) -> list[Any]:
        """Versions of a name that are ours, newest first."""
        found: list[Any] = []
        token: str | None = None
        while True:
            page = self._client.search_model_versions(f"name = '{safe_name('model', name)}'", page_token=token)
            found += [each for each in page if VERSION_TAG in each.tags]
            token = page.token
            if not token:
                return sorted(found, key=lambda each: int(each.version), reverse=True)

    def _find(self, name: str, version: str) -> Any | None:  # noqa: ANN401 - MLflow ships no types
        return next((each for each in self._versions(name) if each.tags[VERSION_TAG] == version), None)

    def _champion(self, name: str) -> Any | None:  # noqa: ANN401 - as above
        try:
            found = self._client.get_model_version_by_alias(name, ALIAS)
        except MlflowException as error:
            # A name without the alias is answered with INVALID_PARAMETER_VALUE, an unknown name as not existing.
            if error.error_code in {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}:
                return None
            raise _unusable(error) from error
        if VERSION_TAG not in found.tags:
            problem = f"the alias {ALIAS} of {name} points to version {found.version}, which is not of Watthour"
            raise ModelError(problem, remedy="Point it to another version: `watthour models promote`.")
        return found

    def _manifest(self, version: Any) -> Manifest:  # noqa: ANN401 - as above
        where = f"MLflow's {version.name} version {version.version}"
        return from_json(version.tags.get(MANIFEST_TAG, ""), where=where)

    def _note(self, name: str, promotion: Promotion) -> None:
        story = _as_lists([*self.promotions(name), promotion][-KEPT_PROMOTIONS:])
        self._client.set_registered_model_tag(name, PROMOTIONS_TAG, json.dumps(story))


def _promotions(tags: Mapping[str, str]) -> list[Promotion]:
    return [
        Promotion(version, datetime.fromisoformat(at), reason, bool(is_rollback))
        for version, at, reason, is_rollback in json.loads(tags.get(PROMOTIONS_TAG, "[]"))
    ]


def _as_lists(promotions: Sequence[Promotion]) -> list[list[object]]:
    return [[each.version, each.promoted_at.isoformat(), each.reason, each.is_rollback] for each in promotions]


def _batches(parameters: Sequence[Any]) -> list[Sequence[Any]]:
    return [parameters[start : start + _PER_BATCH] for start in range(0, len(parameters), _PER_BATCH)]


def _unusable(error: MlflowException) -> ModelError:
    return ModelError(
        f"MLflow cannot be used: {error.message}", remedy="Check MLFLOW_TRACKING_URI, and that the server is running."
    )
