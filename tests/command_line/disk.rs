//! Full and read-only disks, where the system allows creating them.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A small temporary file system, unmounted on drop.
pub struct Disk {
    folder: TempDir,
    mounted: bool,
}

impl Disk {
    /// A disk of 16 KiB, which holds part of an f32 adapter but not all of it.
    pub fn small() -> Option<Self> {
        let mut disk = Self {
            folder: tempfile::tempdir().unwrap(),
            mounted: false,
        };
        disk.mounted = mount(&["-t", "tmpfs", "-o", "size=16k", "tmpfs"], disk.path());
        if !disk.mounted {
            println!("skipped: cannot mount a tmpfs, which requires root");
            return None;
        }
        Some(disk)
    }

    /// A disk without a free block.
    pub fn full() -> Option<Self> {
        let disk = Self::small()?;
        let mut filler = fs::File::create(disk.path().join(FILLER)).unwrap();
        while filler.write_all(&[0; 512]).is_ok() {}
        Some(disk)
    }

    /// A folder that cannot be written to.
    pub fn read_only() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o555)).unwrap();
        if fs::write(folder.path().join("probe"), "").is_err() {
            let mounted = false;
            return Some(Self { folder, mounted });
        }
        // Root ignores permissions.
        let disk = Self::small()?;
        assert!(mount(&["-o", "remount,ro"], disk.path()));
        Some(disk)
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Asserts which files it has, besides the filler.
    pub fn holds(&self, names: &[&str]) {
        let expected: Vec<PathBuf> = names.iter().map(|name| self.join(name)).collect();
        assert_eq!(self.files(), expected);
    }

    /// All files except the filler. Empty folders may stay.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if !path.ends_with(FILLER) {
                    found.push(path);
                }
            }
        }
        found
    }
}

const FILLER: &str = "filler";

fn mount(arguments: &[&str], path: &Path) -> bool {
    let output = Command::new("mount").args(arguments).arg(path).output();
    output.is_ok_and(|output| output.status.success())
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.mounted {
            // Lazily, so that it works even while a program has a file open.
            let _ = Command::new("umount").arg("-l").arg(self.path()).status();
        }
    }
}
