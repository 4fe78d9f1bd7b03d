"""`make clients`: print each client with its version and whether it gets the whole answer; exits with 1 if one does not."""

import sys

from tests.clients.runner import ANSWER, CLIENTS, prepare, run, server


def main() -> int:
    """Run all clients and return the exit code."""
    prepare()
    failed = 0
    with server() as running:
        for client in CLIENTS:
            said = run(client, running.url)
            is_right = said == "".join(ANSWER)
            failed += not is_right
            print(
                f"{client.name:28} {client.version:10} {'ok' if is_right else f'WRONG: {said[:120]}'}",
                flush=True,
            )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
