//! `stoa completions`

use super::{Outcome, definition};

/// For example: stoa completions bash > /etc/bash_completion.d/stoa
#[derive(Debug, clap::Args)]
pub(crate) struct Completions {
    shell: clap_complete::Shell,
}

impl Completions {
    pub(crate) fn run(self) -> Outcome {
        clap_complete::generate(self.shell, &mut definition(), "stoa", &mut std::io::stdout());
        Ok(())
    }
}
