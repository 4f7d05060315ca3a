# Short names for what the scripts do; they hold the commands, so that CI needs no `just`.

# list the recipes
default:
    @just --list --unsorted

# everything CI checks: fmt, clippy, tests, doc, deny
ci:
    scripts/test

# format the code
fmt:
    cargo fmt --all

# formatting and lints, without tests
lint:
    scripts/test --only fmt,lint

# the tests alone; arguments go to the test runner: `just test stock`
test *args:
    scripts/test --fast {{ args }}

# the long form of the fault tests
faults *args:
    STOA_FAULTS=full scripts/test --fast --test faults {{ args }}

# drive a running server and print its figures: `just bench browse --json`
bench *args:
    cargo run --release -- bench {{ args }}

# documentation, private items too
doc:
    scripts/test --only doc

# bans, licences and sources of the dependencies
deny:
    scripts/test --only deny

# the private PostgreSQL and Redis: `just services up postgres`, `just services status`
services *args:
    scripts/services {{ args }}
