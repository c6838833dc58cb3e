//! Where the platform keeps what a program writes for itself while it runs.

use std::ffi::OsString;
use std::path::PathBuf;

/// The folder of Strata's log; `None` where the environment names no home.
pub fn state_folder() -> Option<PathBuf> {
    folder_with(|name| std::env::var_os(name))
}

fn folder_with(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    // The platforms' rules: a path that is not absolute counts as none.
    let path = |name: &str| {
        variable(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let base = if cfg!(target_os = "windows") {
        path("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        path("HOME").map(|home| home.join("Library/Logs"))
    } else {
        path("XDG_STATE_HOME").or_else(|| path("HOME").map(|home| home.join(".local/state")))
    };
    base.map(|base| base.join("strata"))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    fn folder(variables: &[(&str, &str)]) -> Option<PathBuf> {
        folder_with(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).into())
        })
    }

    #[test]
    fn the_state_folder_is_the_one_that_is_set_or_the_usual_one() {
        let home = ("HOME", "/home/a");
        let usual = Some(PathBuf::from("/home/a/.local/state/strata"));
        assert_eq!(folder(&[home]), usual);
        assert_eq!(folder(&[home, ("XDG_STATE_HOME", "")]), usual);
        assert_eq!(folder(&[home, ("XDG_STATE_HOME", "relative")]), usual);
        let set = folder(&[home, ("XDG_STATE_HOME", "/s")]);
        assert_eq!(set, Some(PathBuf::from("/s/strata")));
        assert_eq!(folder(&[]), None);
    }
}
