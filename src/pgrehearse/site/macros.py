"""Macros of a site: embed a runbook, list all of them, print what was proven.

Another project uses them with ``modules: [pgrehearse.site.macros]`` under the plugin ``macros``. The
delimiters must be ``[[= =]]``: the stock ones rewrite PostgreSQL's array literals without a word.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from importlib.resources import files
from pathlib import Path
from typing import Any

from mkdocs.config.config_options import ExtraScriptValue

from pgrehearse.errors import DocumentError, SetupError
from pgrehearse.markup import inert
from pgrehearse.site import fences
from pgrehearse.site.content import embed, pointers
from pgrehearse.site.content.documents import Guessed, Site
from pgrehearse.site.content.headings import plain
from pgrehearse.site.content.navigation import expanded
from pgrehearse.site.content.published import Published, counts
from pgrehearse.site.markup import render
from pgrehearse.site.parts import rehearsals, timelines, zoo
from pgrehearse.site.parts.benchmark import figure
from pgrehearse.site.parts.changed import changed
from pgrehearse.site.parts.cost import newest
from pgrehearse.site.parts.cost import rates_table as rates_html
from pgrehearse.site.parts.lock_reference import lock_table as locks_html
from pgrehearse.site.parts.other_tools import other_tools
from pgrehearse.site.parts.proof_tables import proof_table
from pgrehearse.site.parts.runbook_summary import at_a_glance

__all__ = [
    "define_env",
    "on_post_build",
    "on_post_page_macros",
    "on_pre_page_macros",
    "raised",
]

#: Where the site has the package's own files.
ASSETS = "assets/pgrehearse"

_errors: list[DocumentError | SetupError] = []


def raised() -> DocumentError | SetupError | None:
    """The error a macro raised since the last call: the macros plugin itself only exits with a number."""
    error = _errors[0] if _errors else None
    _errors.clear()
    return error


def define_env(env: Any) -> None:
    """Entry point of mkdocs-macros: register the macros. Raises DocumentError for wrong documents."""
    _errors.clear()
    site = Site(Path(env.project_dir), Path(env.conf["docs_dir"]))
    env.pgrehearse = site
    env.conf["extra_css"] += [f"{ASSETS}/{name}.css" for name in ("blocks", "version")]
    for name in ("tables", "names", "parameters", "version"):
        script = ExtraScriptValue(f"{ASSETS}/{name}.js")
        script.defer = True
        env.conf["extra_javascript"].append(script)
    if env.conf["nav"] is not None:
        # The live preview makes single pages; MkDocs then knows no title but the one in the navigation.
        env.conf["nav"] = expanded(env.conf["nav"], site.docs, site.title if site.draft else None)
    for macro in (
        _runbook(site, env),
        _runbook_index(site, env),
        _proof_summary(site, env),
        _proof_sentence(site),
        _lock_table(site, env),
        _rates_table(site),
        _changed_between(site, env),
        _rehearsal_matrix(site, env),
        _zoo_matrix(site, env),
        _timeline(site, env),
        _benchmark(site),
    ):
        env.macro(_remembering(macro))


def on_pre_page_macros(env: Any) -> None:
    """Before each page: refuse one without proof, and tell the fences which cells it has."""
    site: Site = env.pgrehearse
    page = env.page.file.src_uri
    name = site.project.relative(site.docs / page)
    fences.show_page(fences.PageBlocks(name, site.proven(site.of_page(page))))


def on_post_page_macros(env: Any) -> None:
    """After the macros: in a draft, say at the end of the page what is not proven yet."""
    site: Site = env.pgrehearse
    if site.draft:
        env.markdown += "".join(_draft_note(item) for item in site.of_page(env.page.file.src_uri))


def on_post_build(env: Any) -> None:
    """After the build: put the package's own files where the pages ask for them."""
    target = Path(env.conf["site_dir"]) / ASSETS
    target.mkdir(parents=True, exist_ok=True)
    for file in files("pgrehearse.site").joinpath("assets").iterdir():
        (target / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")


def _remembering(macro: Callable[..., str]) -> Callable[..., str]:
    @wraps(macro)
    def call(*args: Any, **kwargs: Any) -> str:
        try:
            return str(macro(*args, **kwargs))  # plain text for whoever joins it to Markdown
        except (DocumentError, SetupError) as error:
            _errors.append(error)
            raise

    return call


def _draft_note(item: Published) -> str:
    try:
        item.require_proof()
    except DocumentError as error:
        return f"\n\n{render('draft_note', problem=str(error))}\n"
    return ""


def _runbook(site: Site, env: Any) -> Callable[[str], str]:
    def runbook(name: str) -> str:
        page = env.page.file.src_uri
        path = site.project.runbooks / f"{name}.md"
        own = site.docs / page
        if site.homes.get(name) != page:
            raise DocumentError(
                f"runbook({name!r}) is not written out",
                path=site.project.relative(own),
                next_step=f'write [[= runbook("{name}") =]] on a line of its own',
            )
        item = site.document(path)
        front = item.document.front
        env.page.meta.setdefault("description", front.description)
        titled = any(h.level == 1 for h in site.document(own).document.headings)
        homes = Guessed(site.homes) if site.draft else site.homes
        known = rehearsals.current(site.project, item.document, draft=site.draft)
        others = other_tools(site.project, name, pointers.in_other_tools(env, name))
        glance = at_a_glance(item, known, newest(site.project), pointers.of_rates(env), others)
        return embed.as_page(
            item.document,
            site.project,
            site.docs,
            page,
            homes,
            own_title=titled,
            box=glance.summary
            + rehearsals.rehearsed(site.project, item.document, draft=site.draft)
            + zoo.tried_on(site.project, item.document),
            steps_table=glance.steps,
        )

    return runbook


def _runbook_index(site: Site, env: Any) -> Callable[[], str]:
    def runbook_index(prefix: str = "") -> str:
        """Table of the runbooks whose name starts with ``prefix``, each linking to its page."""
        address = _address_of(site, env)
        rows = []
        for path in site.runbooks():
            if not path.stem.startswith(prefix):
                continue
            home = site.homes.get(path.stem)
            if home is None and site.draft:
                continue
            if home is None:
                raise DocumentError(
                    "no page embeds this runbook",
                    path=site.project.relative(path),
                    next_step=f'write [[= runbook("{path.stem}") =]] on a page of its own',
                )
            item = site.document(path)
            document = item.document
            rows.append((address(item), plain(document.title), plain(document.front.description)))
        return render("runbook_index", runbooks=rows)

    return runbook_index


def _proof_summary(site: Site, env: Any) -> Callable[[], str]:
    def proof_summary() -> str:
        """Table of every document with what became of its blocks, and the sum of it all."""
        return proof_table(site.proven(site.all_documents()), _address_of(site, env))

    return proof_summary


def _lock_table(site: Site, env: Any) -> Callable[[], str]:
    def lock_table() -> str:
        """Every measured kind of statement: what it locks, rewrites and reads, who waits, since when."""
        return locks_html(site.proven(site.all_documents()), _address_of(site, env))

    return lock_table


def _rates_table(site: Site) -> Callable[[], str]:
    def rates_table() -> str:
        """What each GB of a table costs by kind of work, on every major that was measured."""
        return rates_html(site.project)

    return rates_table


def _changed_between(site: Site, env: Any) -> Callable[[int, int], str]:
    def changed_between(older: int, newer: int) -> str:
        """How many statements were measured on both majors, and those that did something else."""
        return changed(site.proven(site.all_documents()), older, newer, _address_of(site, env))

    return changed_between


def _rehearsal_matrix(site: Site, env: Any) -> Callable[[], str]:
    def rehearsal_matrix() -> str:
        """Every runbook and how each of its five rehearsals ended, on which majors."""
        items = {site.document(path).document.path: site.document(path) for path in site.runbooks()}
        address = _address_of(site, env)
        return rehearsals.matrix(
            site.project,
            [item.document for item in items.values()],
            lambda document: address(items[document.path]),
            draft=site.draft,
        )

    return rehearsal_matrix


def _zoo_matrix(site: Site, env: Any) -> Callable[[], str]:
    def zoo_matrix() -> str:
        """Every runbook on every shape of table: done, refused, or red."""
        items = {site.document(path).document.path: site.document(path) for path in site.runbooks()}
        address = _address_of(site, env)
        documents = [item.document for item in items.values()]
        return zoo.matrix(site.project, documents, lambda document: address(items[document.path]))

    return zoo_matrix


def _timeline(site: Site, env: Any) -> Callable[..., str]:
    def timeline(name: str, page: str = "") -> str:
        """Both ways of a recording that ``page`` declares, or else this one, drawn beside each other."""
        document = site.document(site.docs / (page or env.page.file.src_uri)).document
        return timelines.timeline(site.project, document, name, draft=site.draft)

    return timeline


def _benchmark(site: Site) -> Callable[..., str]:
    def benchmark(name: str, *keys: str, places: int | None = None) -> str:
        """A number of a committed benchmark: ``benchmark("fleet", "1000", "ratio")``."""
        return inert(figure(site.project.root, name, *keys, places=places))

    return benchmark


def _address_of(site: Site, env: Any) -> Callable[[Published], str]:
    """From a document to the address, on the present page, of the page that shows it; empty without one.

    In HTML MkDocs does not turn the name of a page into its address.
    """
    here = env.page.file

    def address(item: Published) -> str:
        page = site.page_of(item)
        target = env.variables["files"].get_file_from_path(page) if page else None
        return target.url_relative_to(here) if target else ""

    return address


def _proof_sentence(site: Site) -> Callable[[], str]:
    def proof_sentence() -> str:
        """``212 blocks: 198 run, 9 illustration, 5 skipped (reason)``."""
        return inert(counts(site.proven(site.all_documents())).sentence)

    return proof_sentence
