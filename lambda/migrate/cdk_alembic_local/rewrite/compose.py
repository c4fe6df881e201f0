"""Writes the revisions that replace one. The last one keeps its id and file: a database that has applied it needs no change."""

from __future__ import annotations

import ast
import difflib
import re
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .bodies import NO_TEXTS, Source, body_start, cannot_rewrite, comments
from .constant_operations import Scope
from .line_length import line_length
from .names import names_bound, names_missing, names_read, required_statements

_IDS = ("revision", "down_revision", "branch_labels", "depends_on")
_TEMPLATE_IMPORTS = {"op", "sa"}


def compose(path: Path, file: str, wanted: list[dict[str, Any]], texts: Mapping[Path, str] = NO_TEXTS) -> list[dict[str, Any]]:
    """ComposedFile for each wanted revision, with the diff to the existing file. `path`: the file of the replaced revision;
    `file`: its path in the project; `texts`: the texts of files that are not written yet.

    Raises RunnerError `invalid_project`."""
    source = Source(path, texts)
    written = path.read_bytes().decode() if path.exists() else None
    folder = file.rpartition("/")[0]
    composed = []
    for at, one in enumerate(wanted):
        is_last = at == len(wanted) - 1
        text = _Writer(path, source, wanted, at).text()
        name = file if is_last else "/".join(part for part in (folder, one["file"]) if part)
        beside = path.parent / one["file"]
        if not is_last and (beside in texts or beside.exists()):
            raise cannot_rewrite(path, f"{one['file']} exists already")
        before = written if is_last else None
        diff = difflib.unified_diff(
            (before or "").splitlines(keepends=True),
            text.splitlines(keepends=True),
            "/dev/null" if before is None else f"a/{name}",
            f"b/{name}",
        )
        composed.append({"revision": one["revision"], "file": name, "text": text, "diff": "".join(diff), "isNew": before is None})
    return composed


class _Writer:
    """Writes one file, based on the file of the replaced revision."""

    def __init__(self, path: Path, source: Source, series: list[dict[str, Any]], at: int) -> None:
        self._path = path
        self._source = source
        self._series = series
        self._wanted = series[at]
        self._is_first = at == 0
        self._is_last = at == len(series) - 1
        self._edits: list[tuple[int, int, str]] = []
        """First and last line, and what replaces them."""

    def text(self) -> str:
        source = self._source
        self._ids()
        self._docstring()
        functions, written = [], []
        for name in ("upgrade", "downgrade"):
            function = source.function(name)
            if function is None:
                raise cannot_rewrite(self._path, f"{name}() is missing, or is not a plain function")
            functions.append(function)
            written.append(self._function(function, self._wanted[name]))
        statements = [node for body in written for node in body]
        self._imports(names_read(statements) - {name for node in statements for name in names_bound(node)})
        self._prune(functions, written)
        lines = list(source.lines)
        # Of two insertions before one line, the later one comes first.
        for first, last, text in sorted(self._edits, key=lambda edit: edit[:2], reverse=True):
            lines[first - 1 : last] = [text]
        text = re.sub(r"\n{4,}", "\n\n\n", "".join(lines))
        try:
            ast.parse(text)
        except SyntaxError as error:
            raise cannot_rewrite(self._path, f"the result is not Python: {error.msg}") from error
        return text

    def _ids(self) -> None:
        wanted, found = self._wanted, {}
        for node in self._source.tree.body:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
            for target in targets:
                if isinstance(target, ast.Name) and target.id in _IDS and getattr(node, "value", None) is not None:
                    found[target.id] = node
        if "revision" not in found or "down_revision" not in found:
            raise cannot_rewrite(self._path, "its ids are not plain assignments")
        new = {"revision": repr(wanted["revision"])}
        if not self._is_first:
            new["down_revision"] = repr(wanted["down"])
            new["depends_on"] = "None"
        if not self._is_last:
            new["branch_labels"] = "None"
        for name, value in new.items():
            if name not in found:
                continue
            node = found[name]
            if name == "revision" and self._is_last:
                continue
            first, last = node.value.lineno, node.value.end_lineno or node.value.lineno
            lines = self._source.lines
            head = lines[first - 1].encode()[: node.value.col_offset].decode()
            tail = lines[last - 1].encode()[node.value.end_col_offset :].decode()
            quoted = value.replace("'", '"') if '"' in lines[first - 1] or "'" not in lines[first - 1] else value
            self._edits.append((first, last, head + quoted + tail))

    def _docstring(self) -> None:
        wanted, tree = self._wanted, self._source.tree
        first = tree.body[0]
        message = wanted["message"]
        if ast.get_docstring(tree, clean=False) is None or not isinstance(first, ast.Expr):
            if message:
                self._edits.append((1, 0, f'"""{message}"""\n\n'))
            return
        last = first.end_lineno or first.lineno
        text = "".join(self._source.lines[first.lineno - 1 : last])
        own = _title(ast.get_docstring(tree) or "")
        if own[:1] != [message]:
            # An addition to a title of several lines goes to its end.
            is_longer = own and message.startswith(own[0])
            after = own[-1] + message[len(own[0]) :] if is_longer else message
            if own:
                text = text.replace(own[-1] if is_longer else "\n".join(own), after, 1)
            else:
                text = re.sub(r'"""(\S)?', lambda match: f'"""{message}' + (f"\n\n{match[1]}" if match[1] else ""), text, count=1)
            try:
                is_written = after in [line.strip() for line in ast.literal_eval(text.strip()).splitlines()]
            except (SyntaxError, ValueError):
                is_written = False
            if not is_written:
                raise cannot_rewrite(self._path, "its message can't be written into its docstring")
        text = re.sub(r"(?m)^(Revision ID:).*$", rf"\1 {wanted['revision']}", text)
        if not self._is_first:
            text = re.sub(r"(?m)^(Revises:).*$", rf"\1 {wanted['down']}", text)
        self._edits.append((first.lineno, last, text))

    def _imports(self, names: set[str]) -> None:
        """`names`: what the functions use."""
        imports = [node for node in self._source.tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
        future = [node for node in imports if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
        there = {alias.name for node in imports if isinstance(node, ast.Import) for alias in node.names}
        wanted = [name for name in self._wanted.get("imports", ()) if name not in there]
        bound = {name for node in self._source.tree.body for name in names_bound(node)}
        if "sa" in names - bound and imports:
            self._import_sqlalchemy([node for node in imports if node not in future])
        first = next((node for node in imports if node not in future), None)
        if wanted and first:
            lines = "".join(f"import {name}\n" for name in wanted)
            self._edits.append((first.lineno, first.lineno - 1, lines + ("" if self._is_standard(first) else "\n")))

    def _import_sqlalchemy(self, imports: list[ast.Import | ast.ImportFrom]) -> None:
        """Where isort has it: before the first `from` import of a package that is not Python's."""
        packages = [node for node in imports if not self._is_standard(node)]
        later = next((node for node in packages if isinstance(node, ast.ImportFrom) or _origin(node) > "sqlalchemy"), None)
        after = imports[-1].end_lineno or imports[-1].lineno
        before = after + 1 if later is None else later.lineno
        self._edits.append((before, before - 1, "import sqlalchemy as sa\n"))

    @staticmethod
    def _is_standard(node: ast.Import | ast.ImportFrom) -> bool:
        return _origin(node) in sys.stdlib_module_names

    def _function(self, function: ast.FunctionDef, wanted: dict[str, Any]) -> list[ast.stmt]:
        """Replaces a body. Returns its new statements."""
        lines = self._source.lines
        start, end = body_start(lines, function), function.end_lineno or function.lineno
        keeps_docstring = bool(wanted["pieces"]) and ast.get_docstring(function, clean=False) is not None
        if keeps_docstring:
            start = function.body[0].end_lineno or start
        while end < len(lines) and re.match(r"\s+#|\s*$", lines[end]):
            if lines[end].strip() == "" and not any(re.match(r"\s+#", line) for line in lines[end : end + 3]):
                break
            end += 1
        indent = re.match(r"\s*", lines[function.body[0].lineno - 1])[0]
        body = _body_lines(wanted["pieces"], indent, line_length(self._path))
        names = self._local_names(function, body, indent)
        if body[:1] == [""] and not (names or keeps_docstring):
            del body[0]
        code = [*names, *body] or [f'{indent}"""{wanted["nothing"]}"""' if wanted.get("nothing") else f"{indent}pass"]
        self._edits.append((start + 1, end, "\n".join(code) + "\n"))
        return ast.parse(textwrap.dedent("def one():\n" + "\n".join(code))).body[0].body  # type: ignore[attr-defined]

    def _local_names(self, function: ast.FunctionDef, body: list[str], indent: str) -> list[str]:
        """The assignments of the function that a body needs: `bind = op.get_bind()`. The first revision of the series gets the
        comments of those that none needs."""
        own = {part.nodes[0]: part for part in self._source.parts(function) if len(part.nodes) == 1}
        plain = [node for node in own if isinstance(node, (ast.Assign, ast.AnnAssign, ast.Import, ast.ImportFrom))]
        if not plain or not body:
            return []
        wanted = self._required(plain, body)
        scope = Scope.of(self._source.tree, function)
        if fixed := next((node for node in wanted if scope.keeps_place(node)), None):
            raise cannot_rewrite(self._path, f"a step of its own needs what line {fixed.lineno} assigns at that time")
        code = [textwrap.indent(textwrap.dedent(self._source.code(own[node])), indent) for node in plain if node in wanted]
        if not self._is_first:
            return code
        pieces = [piece for one in self._series for piece in one[function.name]["pieces"]]
        used = self._required(plain, _body_lines(pieces, indent, line_length(self._path)))
        above = (self._source.lines[own[node].line - 1 : node.lineno - 1] for node in plain if node not in used)
        return [*(f"{indent}{text}" for lines in above for text in comments("".join(lines))), *code]

    @staticmethod
    def _required(plain: list[ast.stmt], body: list[str]) -> set[ast.stmt]:
        """The assignments that a body needs."""
        there = ast.parse("def one():\n" + "\n".join(body)).body[0].body  # type: ignore[attr-defined]
        return required_statements(names_missing(there), plain)

    def _prune(self, functions: list[ast.FunctionDef], written: list[list[ast.stmt]]) -> None:
        """Removes the imports and definitions that only the removed statements needed."""
        module = [
            node
            for node in self._source.tree.body
            if isinstance(node, (ast.Assign, ast.AnnAssign, ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef))
            and node not in functions
            and not names_bound(node) & set(_IDS)
        ]
        others = [node for node in self._source.tree.body if node not in module and node not in functions]
        before = required_statements(names_read([*functions, *others]), module)
        # Unreferenced definitions stay, with all that they need. New files get the classes: models refer to each other by name.
        unreferenced = [node for node in module if node not in before]
        kept = [node for node in unreferenced if self._is_last or isinstance(node, (ast.Import, ast.ImportFrom, ast.ClassDef))]
        statements = [node for body in written for node in body]
        after = required_statements(names_read([*statements, *signature_expressions(functions), *others, *kept]), module)
        for node in set(module) - after - set(kept):
            if isinstance(node, (ast.Import, ast.ImportFrom)) and names_bound(node) & _TEMPLATE_IMPORTS:
                continue
            first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", []))])
            # The comment right above belongs to it.
            while first > 1 and self._source.lines[first - 2].startswith("#"):
                first -= 1
            self._edits.append((first, node.end_lineno or node.lineno, ""))


def _title(docstring: str) -> list[str]:
    """The lines before the first empty one; empty for a revision without a message."""
    lines = docstring.strip().split("\n\n")[0].splitlines()
    return [] if not lines or lines[0].startswith("Revision ID:") else lines


def signature_expressions(functions: list[ast.FunctionDef]) -> list[ast.expr]:
    """The annotations and defaults of the functions, which stay."""
    return [
        node
        for function in functions
        for node in (function.returns, *(one.annotation for one in function.args.args), *function.args.defaults)
        if node is not None
    ]


def _origin(node: ast.Import | ast.ImportFrom) -> str:
    name = node.module or "" if isinstance(node, ast.ImportFrom) else node.names[0].name
    return name.partition(".")[0]


def _body_lines(pieces: list[dict[str, Any]], indent: str, length: int) -> list[str]:
    """The lines of a body. Adjacent pieces with the same block share it, but two batches of the file stay two. An empty line may
    come first."""
    lines: list[str] = []
    block, opened = "", 0
    for piece in pieces:
        within, before = piece.get("within", ""), opened
        opened = piece.get("opened", before)
        is_shared = within == block and (opened == before or "autocommit_block" in within)
        if piece.get("isApart"):
            lines.append("")
        if within and not is_shared:
            lines.append(textwrap.indent(within, indent))
        block = within
        deeper = indent + "    " if within else indent
        if "opened" in piece:
            code = piece["code"]
            for one in piece.get("replaced", ()):
                own = re.match(r"\s*", one["code"])[0]
                by = "\n".join([*comments(one["code"]), one["by"]])
                code = code.replace(one["code"], textwrap.indent(_wrap_lines(by, length - len(own)), own))
            lines.append(code)
        else:
            lines.append(textwrap.indent(_wrap_lines(piece["code"], length - len(deeper)), deeper))
    return lines


def _wrap_lines(code: str, length: int) -> str:
    """Splits calls that are longer into several lines, as formatters do, also in comments."""
    lines = []
    for line in code.split("\n"):
        if len(line) <= length:
            lines.append(line)
            continue
        own = re.match(r"\s*(?:#\s+)?", line)[0]
        lines.append(textwrap.indent(_wrap_call(line[len(own) :], length - len(own) - 4), own))
    return "\n".join(lines)


def _wrap_call(line: str, room: int) -> str:
    """`room`: the maximum length of a line of arguments."""
    if text := re.fullmatch(r'(\w+ = )(".*")', line):
        return f"{text[1]}(\n{textwrap.indent(_wrap_text(text[2], room), '    ')}\n)"
    call = _outermost_call(line)
    if call is None:
        return line
    parts = sorted([*call.args, *call.keywords], key=lambda node: node.col_offset)
    source = line.encode()
    arguments = [source[node.col_offset : node.end_col_offset].decode() for node in parts]
    head, tail = source[: call.func.end_col_offset].decode(), source[call.end_col_offset :].decode()
    if len(", ".join(arguments)) <= room:
        return f"{head}(\n    {', '.join(arguments)}\n){tail}"
    if len(arguments) == 1:
        argument = _wrap_text(arguments[0], room) if isinstance(parts[0], ast.Constant) else _wrap_call(arguments[0], room - 4)
        return f"{head}(\n{textwrap.indent(argument, '    ')}\n){tail}"
    return f"{head}(\n" + "".join(f"    {argument},\n" for argument in arguments) + f"){tail}"


def _outermost_call(line: str) -> ast.Call | None:
    """The call that a line consists of, or whose attribute a loop reads (`while call().rowcount:`)."""
    try:
        [statement] = ast.parse(f"{line} pass" if line.endswith(":") else line).body
    except (SyntaxError, ValueError):
        return None
    if isinstance(statement, ast.While):
        call = getattr(statement.test, "value", None)
    else:
        call = statement.value if isinstance(statement, ast.Expr) else None
    return call if isinstance(call, ast.Call) else None


def _wrap_text(argument: str, room: int) -> str:
    """Splits a long text into several literals, which Python joins."""
    if not re.fullmatch(r'"(?!"").*"', argument):
        return argument
    lines, rest = [], argument[1:-1]
    while len(rest) > room - 2 and (at := rest.rfind(" ", 1, room - 2)) > 0:
        lines.append(f'"{rest[: at + 1]}"')
        rest = rest[at + 1 :]
    text = "\n".join([*lines, f'"{rest}"'])
    return text if ast.literal_eval(f"({text})") == ast.literal_eval(argument) else argument
