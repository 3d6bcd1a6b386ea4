"""One network for all appliances: from the mains of a window to the chance and the power of each, at every step.

Letters of shapes: B windows, T steps, C channels, A appliances, P steps in a patch. The network has the form of a U: it
reads patches of steps, halves their number again and again to see hours at once, and returns to single steps with the
finer stages added on the way. A head per appliance answers how likely it draws power and how much it then draws;
what it is said to draw is the product, so that a head that is unsure stays silent.

Source: Ronneberger, Fischer & Brox, U-Net (2015), arXiv:1505.04597; patches folded back into steps: Shi et al. (2016),
arXiv:1609.05158; gated power: Shin et al., Subtask Gated Networks (2019), doi:10.1609/aaai.v33i01.33011150.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from watthour.core.errors import InvalidInput, MissingExtra

try:
    import torch
    from torch import nn
    from torch.nn import functional
except ImportError as error:
    raise MissingExtra("torch", "deep") from error

if TYPE_CHECKING:
    from torch import Tensor

_N_FEATURES = 4
_HOURS = 121  # steps in which the lowest value counts as what is always on
_HALF = -0.4  # of which softplus is half the unit of power


@dataclass(frozen=True, slots=True)
class Sizes:
    """What a network is made of; JSON in, JSON out."""

    appliances: tuple[str, ...]
    power_w: tuple[float, ...]  # what each draws when it draws much; unit of its head
    share_on: tuple[float, ...]  # of the time in which each draws power; where its head begins
    patch: int = 4  # steps read as one
    widths: tuple[int, ...] = (64, 96, 96)  # channels of each stage, the finest first
    blocks: tuple[int, ...] = (1, 2, 3)  # blocks of each stage on the way down
    head: int = 20  # channels of a head
    dropout: float = 0.1  # of the stages that see hours

    def __post_init__(self) -> None:
        for field, expected in (
            ("power_w", self.appliances),
            ("share_on", self.appliances),
            ("blocks", self.widths),
        ):
            if len(getattr(self, field)) != len(expected):
                problem = f"it needs {len(expected)} values, one each for {', '.join(map(str, expected))}"
                raise InvalidInput(field, getattr(self, field), problem, remedy="Give as many.")

    @property
    def multiple(self) -> int:
        """The length of a window, in steps, is a multiple of this."""
        return self.patch << (len(self.widths) - 1)

    def as_json(self) -> dict[str, Any]:
        """Return it as what JSON can say; ``from_json`` reads it."""
        return asdict(self)

    @classmethod
    def from_json(cls, said: dict[str, Any]) -> Sizes:
        """Return what ``as_json`` said, lists being tuples again."""
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in said.items()
        }
        return cls(**values)


class Block(nn.Module):
    """Adds to what it reads what a few steps around say of it; begins by adding nothing."""

    def __init__(self, width: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(1, width)
        self.look = nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation)
        self.mix = nn.Conv1d(width, width, 1)
        self.drop = nn.Dropout(dropout)
        nn.init.zeros_(self.mix.weight)
        nn.init.zeros_(self.mix.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, C, T) of (B, C, T)."""
        return x + self.drop(self.mix(functional.relu(self.look(self.norm(x)))))


class Disaggregator(nn.Module):
    """The network: mains in, chance and power of each appliance out."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.sizes = sizes
        widths, n_appliances = sizes.widths, len(sizes.appliances)
        first, last = widths[0], len(widths) - 1
        self.stem = nn.Conv1d(
            _N_FEATURES, first, 4 * sizes.patch, stride=sizes.patch, padding=3 * sizes.patch // 2
        )  # each patch with what is around it
        self.down = nn.ModuleList(_stage(sizes, at) for at in range(len(widths)))
        self.halve = nn.ModuleList(nn.Conv1d(widths[at], widths[at + 1], 2, stride=2) for at in range(last))
        self.widen = nn.ModuleList(nn.Conv1d(widths[at + 1], widths[at], 1) for at in range(last))
        self.up = nn.ModuleList(Block(widths[at], 1, 0.0) for at in range(last))
        self.norm = nn.GroupNorm(1, first)
        self.heads = nn.Conv1d(first, n_appliances * sizes.head, 3, padding=1)
        self.answer = nn.Conv1d(n_appliances * sizes.head, n_appliances * 2 * sizes.patch, 1, groups=n_appliances)
        self.register_buffer("power_w", torch.tensor(sizes.power_w).view(1, -1, 1))
        with torch.no_grad():
            bias = self.answer.bias.view(n_appliances, 2, sizes.patch)
            bias[:, 0] = torch.logit(torch.tensor(sizes.share_on)).unsqueeze(1)
            bias[:, 1] = _HALF

    def forward(self, mains: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logit of drawing power, and the power then drawn [W], each (B, A, T), of mains (B, T) [W]."""
        batch, n_steps = mains.shape
        n_patches, n_appliances = n_steps // self.sizes.patch, len(self.sizes.appliances)
        x = self.stem(features(mains))  # (B, C, T/P)
        finer: list[Tensor] = []
        for stage, halve in zip(self.down, self.halve, strict=False):
            finer.append(stage(x))
            x = halve(finer[-1])  # (B, C', T/2P), (B, C'', T/4P), ...
        x = self.down[-1](x)
        for at in reversed(range(len(finer))):
            x = self.up[at](finer[at] + functional.interpolate(self.widen[at](x), scale_factor=2.0, mode="nearest"))
        answers = self.answer(functional.relu(self.heads(self.norm(x))))  # (B, A*2*P, T/P)
        answers = answers.view(batch, n_appliances, 2, self.sizes.patch, n_patches).transpose(3, 4)
        answers = answers.reshape(batch, n_appliances, 2, n_steps)  # patches folded back into steps
        return answers[:, :, 0], functional.softplus(answers[:, :, 1]) * self.power_w


def features(mains: Tensor) -> Tensor:
    """Return (B, 4, T): the power itself, what it is above the lowest of an hour around, that lowest, and its steps.

    The first keeps the scale; the others make 50 W as plain to see in a house that never sleeps as in one that does.
    """
    mains = mains.unsqueeze(1)  # (B, 1, T) [W]
    lowest = -functional.max_pool1d(-mains, _HOURS, stride=1, padding=_HOURS // 2)
    steps = functional.pad(mains[:, :, 1:] - mains[:, :, :-1], (1, 0))
    above = _asinh((mains - lowest) / 50) / 3
    return torch.cat([mains / 1000, above, _asinh(lowest / 200) / 2, _asinh(steps / 50) / 3], dim=1)


def _asinh(x: Tensor) -> Tensor:
    """Return the inverse of sinh, linear near 0 and a logarithm far off; torch's own has no way to ONNX."""
    return torch.sign(x) * torch.log(torch.abs(x) + torch.sqrt(x * x + 1))


def _stage(sizes: Sizes, at: int) -> nn.Sequential:
    """Return the blocks of a stage; those of the coarsest look ever further."""
    is_last = at == len(sizes.widths) - 1
    dropout = sizes.dropout if at > 1 else 0.0  # fine details stay
    blocks = (Block(sizes.widths[at], 2**each if is_last else 1, dropout) for each in range(sizes.blocks[at]))
    return nn.Sequential(*blocks)
