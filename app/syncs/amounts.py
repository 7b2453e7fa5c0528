"""Figures and how they moved, in words for people. Pure. Programs get the plain decimals."""

from decimal import Decimal

from app.syncs.figures import METRIC_FACTS, Level, Metric, QualityFlag
from app.syncs.periods import percent_change

# Currencies whose smallest unit is not a hundredth; of all others it is.
_PLACES = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV",
                     "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}  # fmt: skip
LEVEL_WORDS = {Level.ACCOUNT: "account", Level.CAMPAIGN: "campaign", Level.CHANNEL: "channel"}
FLAG_WORDS = {
    QualityFlag.SAMPLED: "extrapolated from a part by its service",
    QualityFlag.THRESHOLDED: "small numbers held back by its service",
    QualityFlag.OTHER_ROW: "a part stands under “(other)”",
    QualityFlag.TRUNCATED: "its service left something out",
    QualityFlag.RESTRICTED: "the login may not see all of it",
    QualityFlag.DUPLICATE_PAGE: "came on two pages; the last one counts",
    QualityFlag.LOST: "cannot be had any more: nobody fetched it while its service kept it",
}
# Too many digits for anybody to read.
_LARGEST_PERCENT = 1_000


def amount(value: Decimal, currency: str | None, *, sign: bool = False) -> str:
    """`1,234.50 EUR`, `4,212`, with a sign `+46.50 EUR`. Never rounded: what has more places shows them."""
    places = 0 if currency is None else _PLACES.get(currency, 2)
    exponent = value.as_tuple().exponent
    places = max(places, -exponent if isinstance(exponent, int) else 0)
    text = f"{value:+,.{places}f}" if sign else f"{value:,.{places}f}"
    text = text.replace("-", "−")
    return text if currency is None else f"{text} {currency}"


def metric_name(metric: Metric) -> str:
    """`Purchase value`."""
    return METRIC_FACTS[metric].name


def flag_words(flag: str) -> str:
    """Why a figure may not be the whole truth; a word that is new here is shown as it is."""
    return FLAG_WORDS[QualityFlag(flag)] if flag in set(QualityFlag) else flag.replace("_", " ")


def change_words(before: Decimal, now: Decimal, currency: str | None) -> str:
    """`up 46.50 EUR (+3.9%)`. Of nothing before there is no percentage, which is said."""
    if now == before:
        return "the same"
    by = f"{'up' if now > before else 'down'} {amount(abs(now - before), currency)}"
    percent = percent_change(before, now)
    return f"{by} (no percentage: it was 0 before)" if percent is None else f"{by} ({percent_words(percent)})"


def percent_words(percent: Decimal) -> str:
    """`+12.3%`; a change of a thousandfold is told as `over +1,000%`."""
    if abs(percent) > _LARGEST_PERCENT:
        return f"over {'+' if percent > 0 else '−'}{_LARGEST_PERCENT:,}%"
    return f"{percent:+,.1f}%".replace("-", "−")


def share_of(value: Decimal, total: Decimal) -> Decimal | None:
    """How many percent of a total something is, to one place; None where that says nothing."""
    # Of a sum of ups and downs a part may be more than the whole.
    if total <= 0 or value < 0 or value > total:
        return None
    return (value * 100 / total).quantize(Decimal("0.1"))
