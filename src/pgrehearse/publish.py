"""``pgrehearse build`` and ``pgrehearse serve``: what needs several front ends at once.

Rehearse the documents, build the pages, put the exports beside them, check the built HTML: in this order,
and each only when the one before was green. The site that was there stays until all of it is done.
"""

from __future__ import annotations

from pathlib import Path

import click

from pgrehearse import replacing
from pgrehearse.command.test import rehearse_all, versions
from pgrehearse.errors import DocumentError, ExpectationError, SetupError
from pgrehearse.execution.rehearser import Rehearser
from pgrehearse.notebook.command import write
from pgrehearse.servers import Servers
from pgrehearse.text.document import load
from pgrehearse.text.project import Project

__all__ = ["build", "serve"]


@click.command()
@click.option(
    "--pg", default="", help="Server majors to rehearse on, such as 15,17, or all.", metavar="MAJORS"
)
@click.option("--site-dir", type=click.Path(path_type=Path), help="Where the site goes; default: site.")
@click.option("--records/--run", default=False, help="Use the records of earlier runs instead of running.")
def build(pg: str, site_dir: Path | None, records: bool) -> int:
    """Run every document, build the site, add the exports, check the built pages block by block."""
    project = Project.find(Path.cwd())
    if not records:
        status = rehearse_all(project, majors=versions(pg))
        if status:
            click.echo("the site was not built: a document is red", err=True)
            return status
    try:
        from pgrehearse.site.built import accounting as site_check
        from pgrehearse.site.built import build as site_build
    except ModuleNotFoundError as error:
        raise _no_site(error) from error
    target = (site_dir or project.root / "site").resolve()
    with replacing.replaced(target, "index.html") as site:
        site_build.build(project, site)
        count = _add_exports(project, site)
        report = site_check.check(project, site_build.docs_folder(project), site)
    click.echo(f"{report.pages} pages and {count} exports in {target}")
    click.echo(f"every block is accounted for: {report.sentence}")
    return 0


@click.command()
@click.option("--address", default="127.0.0.1:8000", show_default=True, help="Where to serve; port 0: any.")
@click.option("--pg", type=int, help="Server major to rehearse on.", metavar="MAJOR")
def serve(address: str, pg: int | None) -> int:
    """Serve the site; when a document is saved, execute just that document and reload its page."""
    project = Project.find(Path.cwd())
    try:
        from pgrehearse.site.built import serve as site_serve
    except ModuleNotFoundError as error:
        raise _no_site(error) from error
    with Rehearser(project, Servers(), keep=False) as rehearser:

        def rehearse(path: Path) -> None:
            result = rehearser.rehearse(load(path), pg)
            if not result.green:
                raise ExpectationError(result.report(project.relative(path)))

        site_serve.serve(project, address, rehearse, click.echo)
    return 0


def _add_exports(project: Project, site: Path) -> int:
    """Write each file a page offers for download beside the page; returns how many."""
    from pgrehearse.site.built.pages import downloads

    wanted = downloads(site)
    for target in wanted:
        source = project.runbooks / f"{target.stem}.md"
        if not source.is_file():
            raise DocumentError(
                f"a page offers {target.name}, but there is no such runbook",
                path=target.relative_to(site),
                next_step=f"write {source.name}, or remove the link",
            )
        if target.suffix == ".md":
            target.write_bytes(source.read_bytes())
        else:
            write(load(source), project, target.suffix.removeprefix("."), target)
    return len(wanted)


def _no_site(error: ModuleNotFoundError) -> SetupError:
    return SetupError(f"{error.name} is not installed", next_step="pip install 'pgrehearse[site]'")
