"""Just enough of C++ to hold style laws: text without comments and literals, and where functions begin and end."""

import re
from typing import Iterator, NamedTuple

# A raw string, an ordinary string, a character (not the ' of 1'000), a line comment, a block comment.
_HIDDEN = re.compile(
    r'R"(?P<mark>[^()\\\s]{0,16})\(.*?\)(?P=mark)"'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+'"
    r'|//(?:\\\n|[^\n])*'
    r'|/\*.*?\*/',
    re.DOTALL,
)
_DIRECTIVE = re.compile(r'^[ \t]*#(?:\\\n|[^\n])*', re.MULTILINE)
_SCOPE = re.compile(
    r'^\s*(?:(?:public|private|protected)\s*:\s*|\[\[.*?\]\]\s*|static\s+|constexpr\s+|const\s+|typedef\s+|inline\s+)*'
    r'(?:(?P<open>namespace|class|struct|union|extern\b(?=\s*(?:""\s*)?$))|enum)\b'
)


class Function(NamedTuple):
    first_line: int
    lines: int
    head: str


def blank(text: str) -> str:
    """The same length and lines, with comments gone and literals emptied."""

    def replacement(match: re.Match) -> str:
        hidden = match.group()
        kept = '""' if hidden.endswith('"') else "''" if hidden.endswith("'") else ''
        newlines = hidden.count('\n')
        return kept + ' ' * (len(hidden) - len(kept) - newlines) + '\n' * newlines

    return _HIDDEN.sub(replacement, text)


def includes(text: str) -> Iterator[tuple[int, str]]:
    """Line number and path of each include."""
    for match in re.finditer(r'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"]+)[>"]', text, re.MULTILINE):
        yield text.count('\n', 0, match.start()) + 1, match.group(1)


def functions(text: str) -> Iterator[Function]:
    """Every block with a body at namespace or class scope; blocks inside belong to their function.

    Raises ValueError where braces don't balance. A table, "name[] = {…}", is no function.
    """
    code = _DIRECTIVE.sub(lambda match: re.sub(r'[^\n]', ' ', match.group()), blank(text))
    scopes = 0
    body_depth = 0
    head_start = 0
    open_at = 0
    for position in (match.start() for match in re.finditer(r'[{};]', code)):
        character = code[position]
        head = re.sub(r'^(?:\s*template\s*<[^{;]*?>(?=\s*[\w\[:]))+', '', code[head_start:position])
        if character == '{':
            if body_depth:
                body_depth += 1
                continue
            scope = _SCOPE.match(head)
            if scope and scope.group('open') and not _looks_called(head):
                scopes += 1
                head_start = position + 1
            else:
                body_depth = 1
                open_at = position
        elif character == '}':
            if body_depth:
                body_depth -= 1
                if body_depth == 0:
                    function = _function(code, head_start, open_at, position)
                    if function:
                        yield function
                    head_start = position + 1
            else:
                scopes -= 1
                head_start = position + 1
                if scopes < 0:
                    raise ValueError('more } than {')
        elif not body_depth:
            head_start = position + 1
    if scopes or body_depth:
        raise ValueError('more { than }')


def _looks_called(head: str) -> bool:
    """"struct Foo Make(int x)" declares a function that returns a struct; "class alignas(8) Foo" a class."""
    return bool(re.search(r'\w\s*\([^()]*\)\s*(?:const|noexcept|override)?\s*$', head)) and 'alignas' not in head


def _function(code: str, head_start: int, open_at: int, close_at: int) -> Function | None:
    head = code[head_start:open_at]
    if re.search(r'=\s*$', head) or re.match(r'\s*(?:typedef\s+)?enum\b', head):
        return None
    first = head_start + len(head) - len(head.lstrip())
    first_line = code.count('\n', 0, first) + 1
    last_line = code.count('\n', 0, close_at) + 1
    return Function(first_line, last_line - first_line + 1, ' '.join(head.split()))
