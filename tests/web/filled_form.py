"""What a browser would send of a form on a page, without anybody having touched it."""

from html.parser import HTMLParser


class _Reader(HTMLParser):
    """Collects the fields of one form as browsers do."""

    def __init__(self, form_id: str) -> None:
        super().__init__()
        self.form_id = form_id
        self.is_inside = False
        self.fields: dict[str, list[str]] = {}
        self.area: tuple[str, list[str]] | None = None
        self.select: tuple[str, list[tuple[str, bool]]] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "form":
            self.is_inside = found.get("id") == self.form_id
        name = found.get("name")
        if self.is_inside and tag == "option" and self.select is not None:
            self.select[1].append((found.get("value") or "", "selected" in found))
        if not self.is_inside or not name:
            return
        if tag == "input" and (found.get("type") not in {"radio", "checkbox"} or "checked" in found):
            self.fields.setdefault(name, []).append(found.get("value") or "")
        elif tag == "textarea":
            self.area = (name, [])
        elif tag == "select":
            self.select = (name, [])

    def handle_data(self, data: str) -> None:
        if self.area is not None:
            self.area[1].append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.is_inside = False
        elif tag == "textarea" and self.area is not None:
            text = "".join(self.area[1]).replace("\r\n", "\n").removeprefix("\n")
            self.fields[self.area[0]], self.area = [text.replace("\n", "\r\n")], None
        elif tag == "select" and self.select is not None:
            name, options = self.select
            chosen = [value for value, is_chosen in options if is_chosen] or [value for value, _ in options[:1]]
            self.fields[name], self.select = chosen, None


def filled_form(page: str, form_id: str = "schedule-form") -> dict[str, list[str]]:
    """Every field that would be sent, with its values."""
    reader = _Reader(form_id)
    reader.feed(page)
    return reader.fields
