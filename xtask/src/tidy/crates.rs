//! Dependencies between the workspace's packages, which point one way.

use std::process::Command;

use serde::Deserialize;

use super::Problem;

/// What each package may depend on inside the workspace. Tests may use what they like.
///
/// A line is a decision about the architecture (`docs/architecture.md`), not a formality.
const ALLOWED: &[(&str, &[&str])] = &[
    ("kiln-bench", &[]),
    ("kiln-bytecode", &[]),
    ("kiln-frontend", &["kiln-bytecode"]),
    ("kiln-vm", &["kiln-bytecode"]),
    ("kiln-ssa", &["kiln-bytecode"]),
    ("kiln-codegen", &["kiln-bytecode", "kiln-vm", "kiln-ssa"]),
    (
        "kiln",
        &[
            "kiln-bytecode",
            "kiln-frontend",
            "kiln-vm",
            "kiln-ssa",
            "kiln-codegen",
        ],
    ),
    ("kiln-capi", &["kiln"]),
    ("kiln-cli", &["kiln", "kiln-bench"]),
    ("kiln-example-game", &["kiln"]),
    ("kiln-example-plugins", &["kiln"]),
    ("kiln-example-pool", &["kiln"]),
    ("kiln-example-server", &["kiln"]),
    ("kiln-tests", &[]),
    ("xtask", &["kiln-bench"]),
];

/// A package of the workspace.
#[derive(Debug, Deserialize)]
pub struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    name: String,
    /// `dev`, `build`, or nothing for an ordinary dependency.
    kind: Option<String>,
    /// Present for packages of the workspace.
    path: Option<String>,
}

/// Why the packages cannot be listed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cargo cannot be run: {0}")]
    Run(#[from] std::io::Error),
    #[error("cargo cannot list the packages: {0}")]
    Cargo(String),
    #[error("cargo lists the packages in an unknown form: {0}")]
    Format(#[from] serde_json::Error),
}

/// Lists the packages of the workspace.
pub fn load() -> Result<Vec<Package>, Error> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr);
        return Err(Error::Cargo(message.trim().to_owned()));
    }
    let metadata: Metadata = serde_json::from_slice(&output.stdout)?;
    Ok(metadata.packages)
}

/// Rule: packages depend on each other only as [`ALLOWED`] says.
pub fn one_way_dependencies(packages: &[Package]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for package in packages {
        let name = &package.name;
        let Some((_, allowed)) = ALLOWED.iter().find(|(known, _)| known == name) else {
            let message = format!("the package {name} has no line in xtask/src/tidy/crates.rs");
            problems.push(Problem::in_file("Cargo.toml", message));
            continue;
        };
        for dependency in &package.dependencies {
            let is_ours = dependency.path.is_some();
            let is_for_tests = dependency.kind.as_deref() == Some("dev");
            if is_ours && !is_for_tests && !allowed.contains(&dependency.name.as_str()) {
                let message = format!(
                    "{name} must not depend on {}: dependencies point one way (docs/architecture.md)",
                    dependency.name
                );
                problems.push(Problem::in_file("Cargo.toml", message));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, dependency: &str, kind: Option<&str>) -> Package {
        Package {
            name: name.to_owned(),
            dependencies: vec![Dependency {
                name: dependency.to_owned(),
                kind: kind.map(str::to_owned),
                path: Some("somewhere".to_owned()),
            }],
        }
    }

    #[test]
    fn dependencies_point_one_way() {
        let right = package("kiln-vm", "kiln-bytecode", None);
        assert_eq!(one_way_dependencies(&[right]), []);
        let wrong = package("kiln-bytecode", "kiln-vm", None);
        let problems = one_way_dependencies(&[wrong]);
        assert!(
            problems[0]
                .message
                .contains("kiln-bytecode must not depend on kiln-vm")
        );
    }

    #[test]
    fn a_build_script_is_no_way_around() {
        let wrong = package("kiln-vm", "kiln-frontend", Some("build"));
        assert_eq!(one_way_dependencies(&[wrong]).len(), 1);
    }

    #[test]
    fn tests_may_use_everything() {
        let test = package("kiln-vm", "kiln-frontend", Some("dev"));
        assert_eq!(one_way_dependencies(&[test]), []);
    }

    #[test]
    fn a_new_package_needs_a_line() {
        let new = package("kiln-new", "kiln-vm", None);
        assert_eq!(one_way_dependencies(&[new]).len(), 1);
    }
}
