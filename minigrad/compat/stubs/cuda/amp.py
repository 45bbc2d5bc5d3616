"""torch.cuda.amp: the older spelling of torch.amp."""

from __future__ import annotations

from typing import Any

from minigrad.compat.stubs import amp


class autocast(amp.autocast):
    """`amp.autocast("cuda")`: computes as if it were not there."""

    def __init__(self, enabled: bool = True, dtype: Any = None, cache_enabled: bool = True) -> None:
        super().__init__("cuda", dtype, enabled, cache_enabled)


class GradScaler(amp.GradScaler):
    """`amp.GradScaler("cuda")`: scales by 1."""

    def __init__(self, init_scale: float = 65536.0, *args: Any, enabled: bool = True, **kwargs: Any) -> None:
        super().__init__("cuda", init_scale, *args, enabled=enabled, **kwargs)
