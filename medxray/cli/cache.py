"""`medxray cache list|clear`."""

import click

from medxray.cli.command import group
from medxray.cli.options import PATH


@group(examples=["medxray cache list", "medxray cache clear --unused-days 30"])
def cache():
    """Look at and clear the cached activations of frozen layers."""


_cache_dir = click.option("--cache-dir", type=PATH, help="Folder of the cache. Default: ~/.cache/medxray.")


@cache.command("list", examples=["medxray cache list"])
@_cache_dir
def list_command(cache_dir):
    """List the entries, the last used first."""
    import time

    from medxray.training.cache_folder import default_cache_dir, list_entries

    folder = cache_dir or default_cache_dir()
    entries = list_entries(folder)
    for entry in entries:
        state = "old, not used any more" if entry["old"] else f"{entry['rows']} images"
        day = time.strftime("%Y-%m-%d %H:%M", time.localtime(entry["used"]))
        click.echo(f"{entry['name'][:12]}  {entry['bytes'] / 1e6:9.1f} MB  {day}  {state:<22} {entry['label']}")
    click.echo(f"{len(entries)} entries, {sum(entry['bytes'] for entry in entries) / 1e9:.2f} GB in {folder}")


@cache.command("clear", examples=["medxray cache clear --unused-days 30"])
@_cache_dir
@click.option("--unused-days", type=click.IntRange(1), help="Leave entries that were used within so many days.")
def clear_command(cache_dir, unused_days):
    """Remove all entries that no run is using."""
    from medxray.training.cache_folder import clear, default_cache_dir

    folder = cache_dir or default_cache_dir()
    count, freed = clear(folder, unused_days=unused_days or 0)
    click.echo(f"Removed {count} entries, {freed / 1e9:.2f} GB, from {folder}")
