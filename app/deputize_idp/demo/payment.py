"""One payment, as the pay API compares it with what the person approved (RFC 9396).

The server has seen to it that a token's details are no more than was approved; that what is
asked for is no more than the details, only the API can know.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from deputize.resource import Access

TYPE = "payment"


@dataclass(frozen=True)
class Payment:
    """What is to be paid, to whom."""

    amount: Decimal
    currency: str
    creditor: str

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "Payment":
        """Return what `told` says, a request's body or a detail.

        :raises KeyError, InvalidOperation: when it is none
        """
        return cls(Decimal(str(told["amount"])), str(told["currency"]), str(told["creditor"]))

    def is_allowed(self, access: Access) -> bool:
        """Tell whether it lies within a payment that the person approved."""
        approved = [d for d in access.authorization_details if d["type"] == TYPE]
        return any(self.is_within(Payment.of(detail)) for detail in approved)

    def is_within(self, other: "Payment") -> bool:
        """Tell whether it is the same, or for less."""
        is_alike = (self.currency, self.creditor) == (other.currency, other.creditor)
        return is_alike and self.amount.is_finite() and 0 < self.amount <= other.amount

    def __str__(self) -> str:
        return f"{self.currency} {self.amount} to {self.creditor}"


def find_payment(sent: bytes) -> Payment | None:
    """Return the payment that a request asks for."""
    try:
        return Payment.of(json.loads(sent))
    except (ValueError, KeyError, TypeError, InvalidOperation, RecursionError):
        return None
