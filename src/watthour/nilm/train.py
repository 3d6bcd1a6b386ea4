"""Training, a straight line: draw windows, learn, look at the houses kept apart, stop when they gain no more.

The weights that are answered with are a running mean of those that are learned. A checkpoint holds all that the next
step depends on, so that an interrupted training goes on as if it had not been, to the last bit on a CPU.

Source: AdamW: Loshchilov & Hutter (2019), arXiv:1711.05101; one cycle: Smith & Topin (2019), arXiv:1708.07120.
"""

from __future__ import annotations

import json
import math
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from watthour.core.errors import InvalidInput, MissingExtra, ModelCorrupt, NotEnoughHistory
from watthour.nilm.network import Disaggregator, Sizes

try:
    import torch
    from safetensors import safe_open
    from safetensors.torch import save_file
    from torch import nn
    from torch.nn import functional
except ImportError as error:
    raise MissingExtra("torch with safetensors", "deep") from error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from torch import Tensor

    from watthour.nilm.windows import Batch, KeptHouse, Windows

    Augment = Callable[[Batch, np.random.Generator], Batch]

CHECKPOINT_FILE, BEST_FILE = "checkpoint.safetensors", "best.safetensors"
_WARMING = 0.1  # share of the steps in which the learning rate rises
LEAST_CHANCE = 0.5  # of drawing power, below which the median of what is drawn is nothing


@dataclass(frozen=True, slots=True)
class Plan:
    """How a network is trained; as a table of TOML or JSON."""

    n_steps: int = 512  # length of a window
    batches: int = 4000
    windows: int = 32  # of a batch
    learning_rate: float = 3e-3
    weight_decay: float = 0.02
    states_count: float = 1.0  # of the loss, beside the power
    levels_count: float = 0.5  # likewise
    averaging: float = 0.995  # of the weights that are answered with
    look_every: int = 250  # batches between looks at the validation houses
    patience: int = 8  # looks without a gain before it stops
    seed: int = 1
    draws_w: Mapping[str, float] = field(default_factory=dict)  # from which an appliance draws power; else its rule

    def __post_init__(self) -> None:
        for name in ("n_steps", "batches", "windows", "look_every", "patience"):
            if getattr(self, name) < 1:
                raise InvalidInput(name, getattr(self, name), "it is at least 1", remedy="Give a whole number above 0.")
        for name in ("learning_rate", "weight_decay", "states_count", "levels_count"):
            if not 0 <= getattr(self, name) < math.inf:
                raise InvalidInput(name, getattr(self, name), "it is 0 or more", remedy="Leave it out for the usual.")
        if not 0 <= self.averaging < 1:
            raise InvalidInput("averaging", self.averaging, "it is at least 0 and below 1", remedy="Try 0.995.")


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A network as it answered best, and how it came to be."""

    network: Disaggregator
    batches: int  # learned from, when it was best
    mae_w: float | None  # mean over the appliances of the validation houses; None: there is none
    looks: tuple[tuple[int, float], ...]  # (batches, mean absolute error [W]) of each look


def train(
    windows: Windows,
    sizes: Sizes,
    plan: Plan,
    folder: Path,
    *,
    augment: Augment | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Trained:
    """Train a network on the houses to train on; go on where an earlier call in this folder was interrupted.

    Args:
        windows: prepared houses, of which those of the role `training` are learned from.
        sizes: of the network.
        plan: how to train.
        folder: for checkpoints; one per training.
        augment: changes what is learned from.
        tell: is told how it goes.

    Raises:
        NotEnoughHistory: no house to train on is metered for as long as a window.
        InvalidInput: the network tells other appliances than were prepared, or the folder holds another training.
        ModelCorrupt: a checkpoint cannot be read.
    """
    _check(windows, sizes, plan)
    torch.manual_seed(plan.seed)
    rng = np.random.default_rng(plan.seed)
    source = _Source.of(windows, plan)
    network = Disaggregator(sizes)
    averaged = deepcopy(network)
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=plan.learning_rate, betas=(0.9, 0.98), weight_decay=plan.weight_decay
    )
    unit_w = torch.tensor(source.mean_w, dtype=torch.float32)
    counts = {"states_count": plan.states_count, "levels_count": plan.levels_count}
    folder.mkdir(parents=True, exist_ok=True)
    course = _Course(identity=_identity(windows, sizes, plan))
    if (folder / CHECKPOINT_FILE).exists():
        course = _resume(folder, course.identity, network, averaged, optimiser, rng)
        tell(f"goes on after {course.done:,} batches")
    while course.done < plan.batches and not course.is_over(plan):
        batch = source.draw(plan, rng)
        mains, power, draws, known = _tensors(augment(batch, rng) if augment else batch, sizes, plan)
        for group in optimiser.param_groups:
            group["lr"] = plan.learning_rate * cycle(course.done / plan.batches)
        network.train()
        logit, said = network(mains)
        loss = loss_of(logit, said, power, draws, known, unit_w=unit_w, **counts)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        course.done += 1
        _average(averaged, network, min(plan.averaging, (1 + course.done) / (10 + course.done)))
        if course.done % plan.look_every == 0 or course.done == plan.batches:
            mae_w = error_on(averaged, windows.of_role("validation"), plan)
            course.look(mae_w)
            if course.is_best:
                save_file(averaged.state_dict(), folder / BEST_FILE, {"identity": course.identity})
            _keep(folder, course, network, averaged, optimiser, rng)
            told = f", {mae_w:.2f} W on the validation houses" if mae_w is not None else ""
            tell(f"{course.done:,} of {plan.batches:,} batches, loss {loss.item():.3f}{told}")
    _load(averaged, _read(folder / BEST_FILE, course.identity)[0], "")
    return Trained(averaged.eval(), course.best_at, course.best_w, tuple(course.looks))


def best_so_far(windows: Windows, sizes: Sizes, plan: Plan, folder: Path) -> Trained:
    """Return the network of a training as it answered best until now; nothing is trained.

    Raises:
        NotEnoughHistory: the training has not come to its first look.
        InvalidInput: the folder holds another training.
        ModelCorrupt: a checkpoint cannot be read.
    """
    _check(windows, sizes, plan)
    if not (folder / BEST_FILE).exists():
        problem = f"{folder} holds no network yet: the training has not come to its first look"
        raise NotEnoughHistory(problem, remedy="Train on with `watthour nilm train`.")
    identity = _identity(windows, sizes, plan)
    network = Disaggregator(sizes)
    _load(network, _read(folder / BEST_FILE, identity)[0], "")
    said = json.loads(_read(folder / CHECKPOINT_FILE, identity)[1]["said"])["course"]
    looks = tuple((done, mae_w) for done, mae_w in said["looks"])
    return Trained(network.eval(), said["best_at"], said["best_w"], looks)


def loss_of(
    logit: Tensor,
    power: Tensor,
    true_power: Tensor,
    draws: Tensor,
    known: Tensor,
    *,
    unit_w: Tensor,
    states_count: float,
    levels_count: float,
) -> Tensor:
    """Return the loss, the sum over appliances of three parts, each in units of what always-off would have.

    The first is the absolute error of the gated power, which is least at the median: nothing, where drawing is less
    likely than not. It alone can lead a head to silence and leave it there. So the second is that of the gate, and the
    third that of the power where some is drawn: both learn before their product is right.

    Args:
        logit: (B, A, T) of drawing power, as the network says.
        power: (B, A, T) then drawn, as the network says [W].
        true_power: (B, A, T) [W].
        draws: (B, A, T) 1 where power is drawn.
        known: (B, A, T) 1 where it was metered; the rest counts nothing.
        unit_w: (A,) mean power of each appliance [W].
        states_count: weight of the second part.
        levels_count: weight of the third part.
    """
    n = known.sum((0, 2)).clamp(min=1)
    error_w = ((torch.sigmoid(logit) * power - true_power).abs() * known).sum((0, 2)) / n
    gate = (functional.binary_cross_entropy_with_logits(logit, draws, reduction="none") * known).sum((0, 2)) / n
    level_w = ((power - true_power).abs() * known * draws).sum((0, 2)) / n
    return ((error_w + levels_count * level_w) / unit_w + states_count * gate / _gate_unit(draws, known)).sum()


def _gate_unit(draws: Tensor, known: Tensor) -> Tensor:
    """Return (A,) the loss of a gate that knows only how often each appliance draws power; never too small."""
    share = ((draws * known).sum((0, 2)) / known.sum((0, 2)).clamp(min=1)).clamp(0.01, 0.5)
    return -(share * share.log() + (1 - share) * (1 - share).log())


def cycle(share: float) -> float:
    """Return the part of the learning rate at a share of the way: up quickly, then down to a hundredth of it.

    >>> [round(cycle(share), 3) for share in (0, 0.1, 0.55, 1)]
    [0.1, 1.0, 0.505, 0.01]
    """
    low, high, way = (0.1, 1.0, share / _WARMING) if share < _WARMING else (1.0, 0.01, (share - _WARMING) / 0.9)
    return low + (high - low) * (1 - math.cos(math.pi * way)) / 2


def error_on(network: Disaggregator, houses: Sequence[KeptHouse], plan: Plan) -> float | None:
    """Return the mean over appliances of the mean absolute error in whole houses [W]; None: nothing is metered there.

    An appliance that draws power less likely than not is said to draw none.
    """
    wrong = known = np.zeros(len(network.sizes.appliances))
    network.eval()
    for house in houses:
        starts = house.starts(plan.n_steps, plan.n_steps, has_end=True)
        for part in np.array_split(starts, -(-len(starts) // plan.windows) or 1):
            batch = house.read(part, plan.n_steps)
            with torch.no_grad():
                logit, power = network(torch.from_numpy(batch.mains))
            chance = torch.sigmoid(logit)
            said = torch.where(chance < LEAST_CHANCE, 0.0, chance * power).transpose(1, 2).numpy()  # (B, T, A)
            wrong = wrong + (np.abs(said - batch.power) * batch.is_known).sum((0, 1))
            known = known + batch.is_known.sum((0, 1))
    met = known > 0
    return float((wrong[met] / known[met]).mean()) if met.any() else None


@dataclass(slots=True)
class _Course:
    """How far a training is."""

    identity: str  # of what is trained on what, how
    done: int = 0  # batches
    best_at: int = 0
    best_w: float | None = None
    looks: list[tuple[int, float]] = field(default_factory=list)

    @property
    def is_best(self) -> bool:
        return self.best_at == self.done

    def look(self, mae_w: float | None) -> None:
        """Remember what was seen; without validation houses the last is the best."""
        if mae_w is not None:
            self.looks.append((self.done, mae_w))
        if mae_w is None or self.best_w is None or mae_w < self.best_w:
            self.best_at, self.best_w = self.done, mae_w

    def is_over(self, plan: Plan) -> bool:
        """Tell whether it has gained nothing for too long."""
        return sum(done > self.best_at for done, _ in self.looks) >= plan.patience


@dataclass(frozen=True, slots=True, eq=False)
class _Source:
    """The houses to train on, and where their windows may begin."""

    houses: tuple[KeptHouse, ...]
    starts: tuple[np.ndarray[Any, np.dtype[np.int64]], ...]
    shares: np.ndarray[Any, np.dtype[np.float64]]  # of each house, of the windows
    mean_w: tuple[float, ...]  # of each appliance

    @classmethod
    def of(cls, windows: Windows, plan: Plan) -> _Source:
        found = [(house, house.starts(plan.n_steps, 1)) for house in windows.of_role("training")]
        found = [(house, starts) for house, starts in found if len(starts)]
        if not found:
            problem = f"no house to train on is metered for {plan.n_steps} steps without a gap"
            raise NotEnoughHistory(problem, remedy="Prepare a longer house, or choose shorter windows.")
        root = np.sqrt([len(starts) for _, starts in found])  # one that was metered for years does not drown the others
        powers = [np.nansum(house.values[:, 1:], axis=0, dtype=np.float64) for house, _ in found]
        counts = [np.isfinite(house.values[:, 1:]).sum(axis=0) for house, _ in found]
        mean_w = np.maximum(sum(powers) / np.maximum(sum(counts), 1), 1.0)
        return cls(
            tuple(house for house, _ in found), tuple(starts for _, starts in found), root / root.sum(), tuple(mean_w)
        )

    def draw(self, plan: Plan, rng: np.random.Generator) -> Batch:
        """Draw the windows of a batch."""
        counts = rng.multinomial(plan.windows, self.shares)
        parts = [
            house.read(starts[rng.integers(len(starts), size=count)], plan.n_steps)
            for house, starts, count in zip(self.houses, self.starts, counts, strict=True)
            if count
        ]
        return type(parts[0])(
            **{name: np.concatenate([getattr(part, name) for part in parts]) for name in parts[0].__slots__}
        )


def _tensors(batch: Batch, sizes: Sizes, plan: Plan) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return mains (B, T), and power, whether it is drawn, and whether it is known, each (B, A, T)."""
    draws = batch.is_on.copy()
    for place, name in enumerate(sizes.appliances):
        if name in plan.draws_w:
            draws[..., place] |= batch.power[..., place] >= plan.draws_w[name]
    turned = [
        np.ascontiguousarray(each.transpose(0, 2, 1), np.float32) for each in (batch.power, draws, batch.is_known)
    ]
    power, draws_too, known = (torch.from_numpy(each) for each in turned)
    return torch.from_numpy(np.ascontiguousarray(batch.mains)), power, draws_too, known


def _average(averaged: Disaggregator, network: Disaggregator, kept: float) -> None:
    with torch.no_grad():
        for mean, weight in zip(averaged.parameters(), network.parameters(), strict=True):
            mean.lerp_(weight, 1 - kept)


def _check(windows: Windows, sizes: Sizes, plan: Plan) -> None:
    if sizes.appliances != windows.appliances:
        problem = f"the houses were prepared for {', '.join(windows.appliances)}"
        raise InvalidInput("appliances", sizes.appliances, problem, remedy="Name the same, in the same order.")
    if plan.n_steps % sizes.multiple:
        lower = max(plan.n_steps // sizes.multiple, 1) * sizes.multiple
        problem = f"this network reads windows of a multiple of {sizes.multiple} steps"
        raise InvalidInput("n_steps", plan.n_steps, problem, remedy=f"Choose {lower}.")
    for name in plan.draws_w:
        if name not in sizes.appliances:
            cure = f"Choose among {', '.join(sizes.appliances)}."
            raise InvalidInput("draws_w", name, "the network does not tell this appliance", remedy=cure)


def _identity(windows: Windows, sizes: Sizes, plan: Plan) -> str:
    return json.dumps({"houses": windows.hash, "sizes": sizes.as_json(), "plan": asdict(plan)}, sort_keys=True)


def _keep(
    folder: Path,
    course: _Course,
    network: Disaggregator,
    averaged: Disaggregator,
    optimiser: torch.optim.AdamW,
    rng: np.random.Generator,
) -> None:
    """Write a checkpoint that appears by one rename."""
    tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
    tensors |= {f"averaged.{name}": value for name, value in averaged.state_dict().items()}
    for place, moments in optimiser.state_dict()["state"].items():
        tensors |= {f"moments.{place}.{name}": value for name, value in moments.items()}
    tensors["torch_random"] = torch.get_rng_state()
    said = {"course": asdict(course), "numpy_random": rng.bit_generator.state}
    building = folder / f".{CHECKPOINT_FILE}"
    save_file(tensors, building, {"identity": course.identity, "said": json.dumps(said)})
    building.replace(folder / CHECKPOINT_FILE)


def _resume(
    folder: Path,
    identity: str,
    network: Disaggregator,
    averaged: Disaggregator,
    optimiser: torch.optim.AdamW,
    rng: np.random.Generator,
) -> _Course:
    tensors, metadata = _read(folder / CHECKPOINT_FILE, identity)
    said = json.loads(metadata["said"])
    _load(network, tensors, "network.")
    _load(averaged, tensors, "averaged.")
    moments: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("moments."):
            _, place, which = name.split(".")
            moments.setdefault(int(place), {})[which] = value
    optimiser.load_state_dict({"state": moments, "param_groups": optimiser.state_dict()["param_groups"]})
    torch.set_rng_state(tensors["torch_random"])
    rng.bit_generator.state = said["numpy_random"]
    looks = [(done, mae_w) for done, mae_w in said["course"].pop("looks")]
    return _Course(**said["course"], looks=looks)


def _load(network: Disaggregator, tensors: Mapping[str, Tensor], prefix: str) -> None:
    network.load_state_dict(
        {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
    )


def _read(path: Path, identity: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    cure = f"Delete {path.parent} to train from the beginning, or name another folder."
    try:
        with safe_open(path, framework="pt") as kept:
            metadata = kept.metadata() or {}
            tensors = {name: kept.get_tensor(name) for name in kept.keys()}  # noqa: SIM118 it is no mapping
    except Exception as error:  # safetensors' own error has no public class
        raise ModelCorrupt(f"{path} cannot be read ({error})", remedy=cure) from error
    if metadata.get("identity") != identity:
        problem = "it holds a training of other houses, sizes or plans"
        raise InvalidInput("folder", str(path.parent), problem, remedy=cure)
    return tensors, metadata
