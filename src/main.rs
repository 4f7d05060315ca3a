//! The binary: everything is in the library.

/// The C library's allocator keeps an arena for each of the threads that take turns and gives little
/// of them back, so that a long import's memory grew with its rows.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    stoa::cli::main()
}
