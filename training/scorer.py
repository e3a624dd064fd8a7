"""Probabilities and contributions from a verified bundle; nothing else parses a model."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.matrix import Matrix
from training.bundle import Bundle
from training.calibration import calibrator_from
from training.flags import rule_from
from training.kinds import KINDS, Booster, model_of, raw_of
from training.model import check_values
from training.rules import RULES
from training.settings import Counted, counted

Array = npt.NDArray[np.float64]
_MISMATCH = (
    "these features come from another catalogue than the model's; train again, or deploy the program that the model "
    "was audited with"
)


class MatrixMismatch(ValueError):
    """A matrix made by another feature catalogue than the model was trained on."""


class Scorer:
    """A model ready to score. The bundle's bytes were proven when it was read; these bytes are parsed.

    `rule` is the flag rule and `base_rates` the usual shares, by phase of education and 'all'.
    """

    def __init__(self, bundle: Bundle, *, threads: int = 1) -> None:
        self.bundle = bundle
        self.rule = rule_from(bundle.manifest["flag_rule"])
        self.base_rates: Mapping[str, float] = dict(bundle.manifest["base_rates"])
        self.horizon_weeks = int(bundle.manifest["horizon_weeks"])
        self.names = tuple(bundle.manifest["feature_names"])
        self._fingerprint = str(bundle.manifest["feature_fingerprint"])
        self._calibrator = calibrator_from(bundle.manifest["calibrator"])
        self.kind, self.approach = str(bundle.manifest["kind"]), str(bundle.manifest["approach"])
        self._model = model_of(self.kind, self.approach, bundle.model, self.names, threads=threads)

    @property
    def outcome(self) -> Counted:
        """What the probabilities are of, in words."""
        return counted(self.bundle.manifest["settings"])

    @property
    def means(self) -> str:
        """What ranks pupils, in words: a rule's own, or what sort of model it is."""
        return RULES[self.approach].means if self.kind == "rule" else KINDS[self.kind]

    def raw(self, matrix: Matrix) -> Array:
        """Return the model's raw score of every row, shape ``(len(matrix),)``.

        Raises
        ------
        MatrixMismatch
            Another catalogue, or other features or another order of them: LightGBM would score it in silence.
        MatrixRefused
            A value is infinite.
        """
        self._check_names(matrix)
        self._check(matrix.fingerprint, matrix.values)
        return raw_of(self._model, matrix.values)

    def chances(self, values: Array, fingerprint: str) -> Array:
        """Return the probability of rows that can all be scored, made by the catalogue of this fingerprint.

        Raises as `raw`.
        """
        self._check(fingerprint, values)
        return self._calibrator.probabilities(self._model.raw(values)) if len(values) else np.empty(0)

    def probabilities(self, matrix: Matrix) -> Array:
        """Return each row's probability, NaN where the row says why it cannot be scored."""
        chances = self._calibrator.probabilities(self.raw(matrix))
        return np.where((matrix.keys["abstain"] == "").to_numpy(bool), chances, np.nan)

    def chance_of_one(self, values: Array, fingerprint: str) -> float:
        """Return the probability of one row that can be scored, shape ``(features,)``: `chances`' own to the bit.

        Not for two threads at once. Raises as `raw`.
        """
        if not isinstance(self._model, Booster):
            return float(self.chances(values[None, :], fingerprint)[0])
        self._check(fingerprint, values[None, :])
        return float(self._calibrator.probabilities(np.array([self._model.raw_of_one(values)]))[0])

    def contributions(self, matrix: Matrix) -> Array:
        """Return what each feature adds to the raw score (exact Shapley values), the last column the usual score.

        Shape ``(len(matrix), len(names) + 1)``; a row adds up to its raw score.
        """
        self._check_names(matrix)
        return self.parts(matrix.values, matrix.fingerprint)

    def parts(self, values: Array, fingerprint: str) -> Array:
        """Return `contributions` of rows made by the catalogue of this fingerprint."""
        self._check(fingerprint, values)
        return self._model.contributions(values) if len(values) else np.empty((0, len(self.names) + 1))

    def _check_names(self, matrix: Matrix) -> None:
        if matrix.names != self.names:
            raise MatrixMismatch(_MISMATCH)

    def _check(self, fingerprint: str, values: Array) -> None:
        if fingerprint != self._fingerprint or values.shape[1] != len(self.names):
            raise MatrixMismatch(_MISMATCH)
        check_values(values, self.names)


def scores_of(scorer: Scorer, matrix: Matrix) -> pd.DataFrame:
    """Return the frame that `flags.allocate` takes: keys and probability."""
    return matrix.keys[["pupil", "as_of", "school", "year_group", "abstain"]].assign(
        probability=scorer.probabilities(matrix)
    )
