"""Write the tables of options in docs/ from the fields of the configurations.

python scripts/option_tables.py            # writes them
python scripts/option_tables.py --check    # only says whether they are up to date, exit status 1 where not
"""

import argparse
import re
import sys
from pathlib import Path

from medxray.anomaly.config import AnomalyConfig
from medxray.training.config import TrainConfig
from medxray.training.options import default_text, option_name, options_of, owners_of

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGES = {"training.md": TrainConfig, "anomaly.md": AnomalyConfig}
_BETWEEN = re.compile(r"(?<=<!-- options -->\n).*?(?=<!-- end of options -->)", re.DOTALL)


def options_table(config_class):
    """The options of a configuration as a Markdown table; with a column of methods where some have options alone."""
    variants = config_class.variants()
    owners = {name: ", ".join(owners_of(name, variants)) for name in options_of(config_class)}
    titles = ["option", "for", "what", "default"] if any(owners.values()) else ["option", "what", "default"]
    rows = [titles, ["---"] * len(titles)]
    for name, option in options_of(config_class).items():
        if option.hidden:
            continue
        text, _, told = option.help.removesuffix(".").partition(". Default: ")
        default = default_text(option, variants) or told
        cells = {"option": _written(option), "for": owners[name] or "all", "what": text, "default": default}
        rows.append([cells[title] for title in titles])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _written(option):
    name = option_name(option.name)
    if option.type is bool:
        off = name.replace("--", "--no-", 1)
        return f"`{name}/{off}`" if option.optional else f"`{off}`" if option.default else f"`{name}`"
    if option.choices is not None:
        return f"`{name}` " + ", ".join(f"`{choice}`" for choice in option.choices)
    return f"`{name}`"


def main():
    """Write or check the pages."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit status 1 for a page that is old")
    check, old = parser.parse_args().check, []
    for name, config_class in PAGES.items():
        text = (DOCS / name).read_text(encoding="utf-8")
        table = options_table(config_class)
        new, count = _BETWEEN.subn(lambda found, table=table: table, text)
        if count != 1:
            sys.exit(f"docs/{name} must have the lines <!-- options --> and <!-- end of options --> once.")
        if new != text:
            old.append(f"docs/{name}")
            if not check:
                (DOCS / name).write_text(new, encoding="utf-8")
    if check and old:
        sys.exit(f"The table of options is old in {', '.join(old)}. Run: python scripts/option_tables.py")


if __name__ == "__main__":
    main()
