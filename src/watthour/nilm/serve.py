"""A trained network that answers on a CPU by ONNX Runtime; torch is not needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from watthour.core.errors import InvalidInput, ModelCorrupt
from watthour.nilm.artifact import GRAPH_FILE, from_files
from watthour.nilm.disaggregate import Blend, answer, window_starts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from watthour.nilm.artifact import Description
    from watthour.nilm.disaggregate import Answer

    Powers: TypeAlias = NDArray[np.float32]

_AT_ONCE = 64  # windows
_MOST_W = 100_000.0  # of one household; more is another unit


@dataclass(frozen=True, slots=True, eq=False)
class ServedNetwork:
    """A network ready to answer."""

    description: Description
    session: Any  # of ONNX Runtime, which ships no types

    @classmethod
    def from_files(cls, files: Mapping[str, bytes], *, n_threads: int = 1) -> ServedNetwork:
        """Return the network of these files.

        Raises:
            ModelCorrupt: the files do not belong together or are no network.
        """
        description, graph = from_files(files)
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = n_threads
        options.inter_op_num_threads = 1
        try:
            session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's errors have no common class but this
            problem = f"{GRAPH_FILE} is no graph that ONNX Runtime can read ({type(error).__name__})"
            raise ModelCorrupt(problem, remedy="Export the network again.") from error
        n_answers = session.get_outputs()[0].shape[2]
        if n_answers != len(description.appliances):
            problem = f"{GRAPH_FILE} answers for {n_answers} appliances and is described with"
            problem = f"{problem} {len(description.appliances)}"
            raise ModelCorrupt(problem, remedy="Export the network again.")
        return cls(description, session)

    def tell(
        self,
        mains: Powers,
        segments: Sequence[slice],
        *,
        begins: Sequence[int] | None = None,
        stride: int | None = None,
    ) -> Answer:
        """Tell of a house what each appliance draws; one whose chance of drawing power is too low draws none.

        Args:
            mains: (n,) in steps as the network was trained on [W].
            segments: the stretches between gaps; one shorter than a window has no answer.
            begins: of each stretch, in steps since 1970: then what is told of an instant does not depend on where the
                stretch begins, but for the length of a window from its begin and to its end.
            stride: from one window to the next [steps]; None: half a window, so that each step is answered twice.
        """
        told = self.description
        starts = window_starts(segments, told.n_steps, stride or told.n_steps // 2, begins=begins)
        chance, power = (Blend(len(mains), told.n_steps, len(told.appliances)) for _ in range(2))
        for at in range(0, len(starts), _AT_ONCE):
            part = starts[at : at + _AT_ONCE]
            windows = self.windows(mains[part[:, None] + np.arange(told.n_steps)])
            chance.add(part, windows[0])
            power.add(part, windows[1])
        likely = chance.mean()
        drawn = np.where(likely < np.asarray(told.silent_below), 0.0, power.mean())
        return answer(mains, segments, drawn, likely, told.appliances, told.step_s)

    def windows(self, mains: Powers) -> tuple[Powers, Powers]:
        """Return the chance of drawing power, and the power [W], each (B, T, A), of windows (B, T) [W].

        Raises:
            InvalidInput: the windows have another length than it was trained on, or values that mains cannot have.
        """
        checked = np.ascontiguousarray(self._checked(mains), dtype=np.float32)
        chance, power = self.session.run(None, {"mains": checked})
        return chance, power

    def _checked(self, mains: Powers) -> Powers:
        n_steps = self.description.n_steps
        if mains.ndim != 2 or mains.shape[1] != n_steps:  # noqa: PLR2004 windows and steps
            problem = f"this network reads windows of {n_steps} steps of {self.description.step_s} s"
            raise InvalidInput("mains", mains.shape, problem, remedy=f"Give an array of shape (windows, {n_steps}).")
        if not np.isfinite(mains).all():
            problem = "a window holds values that are not known"
            raise InvalidInput("mains", "nan", problem, remedy="Cut windows between gaps, never across them.")
        lowest, highest = float(mains.min(initial=0.0)), float(mains.max(initial=0.0))
        if lowest < 0:
            problem = "the mains of a house are at least 0 W; below it, the meter subtracts what is fed in"
            raise InvalidInput("mains", lowest, problem, remedy="Add the power of the solar panels to the mains.")
        if highest > _MOST_W:
            raise InvalidInput("mains", highest, "no home draws as much", remedy="Give mains in W.")
        return mains
