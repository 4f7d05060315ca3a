//! A file system of a case's own, so that it can be full.

use std::path::Path;

/// 8 MiB; gone with the value.
pub(crate) struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// `None`, said aloud, where this user may mount nothing.
    pub(crate) fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = std::process::Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=8m", "tmpfs"]).arg(folder.path());
        let mounted = mount.output().is_ok_and(|output| output.status.success());
        if !mounted {
            eprintln!("skipped: no file system can be mounted here, so none can be filled");
        }
        mounted.then_some(Self(folder))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _unmounted = std::process::Command::new("umount").arg("-l").arg(self.path()).status();
    }
}
