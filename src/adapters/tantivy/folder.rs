//! Whole indexes in numbered folders, and which of them is live.
//!
//! ```text
//! index/CURRENT               the live one's number
//! index/generation-000007/    live
//! index/generation-000008/    a shadow that is being filled; gone after a crash
//! ```
//!
//! `CURRENT` is replaced by a rename after its new content is on disk, so whatever happens it
//! names one whole index. Folders it doesn't name are rubbish and removed.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

const CURRENT: &str = "CURRENT";
const NEXT: &str = "CURRENT.next";
const PREFIX: &str = "generation-";

pub(super) struct Folder {
    root: PathBuf,
}

impl Folder {
    pub(super) fn open(root: &Path) -> io::Result<Self> {
        fs::create_dir_all(root)?;
        Ok(Self { root: root.to_owned() })
    }

    pub(super) fn path(&self, number: u32) -> PathBuf {
        self.root.join(format!("{PREFIX}{number:06}"))
    }

    /// `None` before the first index, or when the file doesn't hold a number.
    pub(super) fn current(&self) -> io::Result<Option<u32>> {
        match fs::read_to_string(self.root.join(CURRENT)) {
            Ok(text) => Ok(text.trim().parse().ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// On disk when this returns.
    pub(super) fn make_current(&self, number: u32) -> io::Result<()> {
        let next = self.root.join(NEXT);
        let mut file = File::create(&next)?;
        file.write_all(format!("{number}\n").as_bytes())?;
        file.sync_all()?;
        fs::rename(&next, self.root.join(CURRENT))?;
        File::open(&self.root)?.sync_all()
    }

    /// An empty folder with a number higher than any before.
    pub(super) fn create_next(&self) -> io::Result<(u32, PathBuf)> {
        let highest = self.numbers()?.into_iter().max().max(self.current()?).unwrap_or(0);
        let number = highest + 1;
        let path = self.path(number);
        fs::create_dir(&path)?;
        Ok((number, path))
    }

    /// Removes every index but `kept` and the current one.
    pub(super) fn sweep(&self, kept: Option<u32>) -> io::Result<()> {
        let current = self.current()?;
        for number in self.numbers()? {
            if Some(number) != kept && Some(number) != current {
                fs::remove_dir_all(self.path(number))?;
            }
        }
        match fs::remove_file(self.root.join(NEXT)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn numbers(&self) -> io::Result<Vec<u32>> {
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&self.root)? {
            let name = entry?.file_name();
            let number = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
            numbers.extend(number.and_then(|number| number.parse::<u32>().ok()));
        }
        Ok(numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_current_index_and_the_kept_one_survive_a_sweep() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = Folder::open(temporary.path()).unwrap();
        assert_eq!(folder.current().unwrap(), None);
        for expected in 1..=3 {
            assert_eq!(folder.create_next().unwrap().0, expected);
        }
        folder.make_current(2).unwrap();
        folder.sweep(Some(3)).unwrap();
        assert_eq!(folder.current().unwrap(), Some(2));
        assert!(!folder.path(1).exists() && folder.path(2).exists() && folder.path(3).exists());
        folder.sweep(None).unwrap();
        assert!(folder.path(2).exists() && !folder.path(3).exists());
        assert_eq!(folder.create_next().unwrap().0, 3);
    }

    #[test]
    fn a_broken_pointer_is_no_pointer() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = Folder::open(temporary.path()).unwrap();
        fs::write(temporary.path().join(CURRENT), "gener").unwrap();
        assert_eq!(folder.current().unwrap(), None);
    }
}
