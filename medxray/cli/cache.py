"""`medxray cache list|clear`."""

import click

from medxray.cli.options import PATH


@click.group()
def cache():
    """Look at and clear the cached activations of frozen layers."""


_cache_dir = click.option("--cache-dir", type=PATH, help="Folder of the cache. Default: ~/.cache/medxray.")


@cache.command("list")
@_cache_dir
def list_command(cache_dir):
    """List the entries, newest first."""
    import time

    from medxray.training.prefix_cache import default_cache_dir, list_entries

    folder = cache_dir or default_cache_dir()
    entries = list_entries(folder)
    for entry in entries:
        state = "complete" if entry["done"] == entry["rows"] else f"{entry['done']} of {entry['rows']} rows"
        day = time.strftime("%Y-%m-%d %H:%M", time.localtime(entry["updated"]))
        click.echo(f"{entry['name'][:12]}  {entry['bytes'] / 1e6:9.1f} MB  {day}  {state:<22} {entry['label']}")
    click.echo(f"{len(entries)} entries, {sum(entry['bytes'] for entry in entries) / 1e9:.2f} GB in {folder}")


@cache.command("clear")
@_cache_dir
def clear_command(cache_dir):
    """Remove all entries."""
    from medxray.training.prefix_cache import clear, default_cache_dir

    folder = cache_dir or default_cache_dir()
    count, freed = clear(folder)
    click.echo(f"Removed {count} entries, {freed / 1e9:.2f} GB, from {folder}")
