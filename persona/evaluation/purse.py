"""A limit in US dollars for calls that run at the same time: what each may cost is set aside before it is made."""

import asyncio
from decimal import Decimal


class Purse:
    """What may still be spent. Without a limit everything may. Serves one event loop."""

    def __init__(self, limit: Decimal | None, spent: Decimal = Decimal(0)) -> None:
        self._limit = limit
        self._spent = spent
        self._aside = Decimal(0)
        self._changed = asyncio.Condition()

    async def take(self, most: Decimal) -> bool:
        """Sets aside what some calls may cost at most; False when that would pass the limit.

        Waits while calls that run may yet turn out to be cheaper than they might have been.
        """
        async with self._changed:
            while self._limit is not None and self._spent + self._aside + most > self._limit:
                if not self._aside:
                    return False
                await self._changed.wait()
            self._aside += most
            return True

    async def settle(self, most: Decimal, paid: Decimal) -> None:
        """The calls have ended, and cost this much."""
        async with self._changed:
            self._aside -= most
            self._spent += paid
            self._changed.notify_all()
