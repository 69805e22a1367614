//! A folder of files as it comes: any names, any depth, anything in it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::problem::Problem;

/// How deep a folder may be nested before it is taken for a loop.
const DEPTH_MAX: usize = 64;

/// What a walk over a folder found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Folder {
    /// Regular files, in byte order of their paths.
    pub files: Vec<PathBuf>,
    /// What is neither a file nor a folder, or could not be read, with the reason.
    pub passed_over: Vec<(PathBuf, String)>,
}

impl Folder {
    /// Walks `root` without following symbolic links.
    ///
    /// # Errors
    ///
    /// `root` itself cannot be read or is not a folder.
    pub fn walk(root: &Path) -> Result<Self, Problem> {
        let entries = fs::read_dir(root)
            .map_err(|e| Problem::usage("folder", format!("{}: {e}", root.display())))?;
        let mut found = Self::default();
        let mut waiting = vec![(entries, 0_usize)];
        while let Some((entries, depth)) = waiting.pop() {
            for entry in entries {
                let entry = match entry {
                    Ok(entry) => entry,
                    Err(e) => {
                        found.passed_over.push((root.to_path_buf(), e.to_string()));
                        continue;
                    }
                };
                let path = entry.path();
                match entry.file_type() {
                    Ok(kind) if kind.is_file() => found.files.push(path),
                    Ok(kind) if kind.is_dir() && depth < DEPTH_MAX => match fs::read_dir(&path) {
                        Ok(inner) => waiting.push((inner, depth + 1)),
                        Err(e) => found.passed_over.push((path, e.to_string())),
                    },
                    Ok(kind) => {
                        let reason = if kind.is_symlink() {
                            "a symbolic link, not followed"
                        } else if kind.is_dir() {
                            "nested too deep"
                        } else {
                            "neither a file nor a folder"
                        };
                        found.passed_over.push((path, reason.to_owned()));
                    }
                    Err(e) => found.passed_over.push((path, e.to_string())),
                }
            }
        }
        found.files.sort_unstable();
        found.passed_over.sort_unstable();
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_every_entry_is_either_a_file_or_passed_over() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("a/b/c")).unwrap();
        for name in ["x", "a/no extension", "a/b/c/图.dcm"] {
            fs::write(root.path().join(name), b"").unwrap();
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink("x", root.path().join("link")).unwrap();
        let found = Folder::walk(root.path()).unwrap();
        assert_eq!(found.files.len(), 3);
        assert_eq!(found.passed_over.len(), usize::from(cfg!(unix)));
    }

    #[test]
    fn err_a_missing_folder_is_wrong_use() {
        let problem = Folder::walk(Path::new("no-such-folder")).unwrap_err();
        assert_eq!(problem.fault.exit_code(), 2);
    }
}
