//! Finds the C API of Nix, and generates its bindings.
//!
//! Until Nix 2.34 the programs of Nix do not contain the C API: a plugin has to link its libraries. Since 2.35 they do,
//! and a plugin that links them would bring a second copy.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use bindgen::{EnumVariation, RustEdition};

/// Folder of the C API's headers; set together with [`LIB`] where pkg-config does not know Nix.
const INCLUDE: &str = "NIX_VMTEST_NIX_INCLUDE";
/// Folder of the C API's libraries; left unset for Nix 2.35 and later, which must not be linked.
const LIB: &str = "NIX_VMTEST_NIX_LIB";

/// What the plugin uses of the C API. All of it is there, with one signature, from Nix 2.24 to 2.36.
const FUNCTIONS: &[&str] = &[
    "nix_alloc_primop",
    "nix_alloc_value",
    "nix_c_context_create",
    "nix_c_context_free",
    "nix_err_code",
    "nix_err_msg",
    "nix_expr_eval_from_string",
    "nix_gc_decref",
    "nix_get_string",
    "nix_init_null",
    "nix_init_primop",
    "nix_init_string",
    "nix_register_primop",
    "nix_set_err_msg",
    "nix_state_create",
    "nix_state_free",
    "nix_store_free",
    "nix_store_open",
    "nix_value_call",
    "nix_value_decref",
    "nix_value_force",
    "nix_version_get",
];

const LIBRARIES: &[&str] = &["nixexprc", "nixstorec", "nixutilc"];

/// The C API of an installed Nix.
pub(crate) struct Installation {
    include: Vec<PathBuf>,
    /// Folders of the libraries, when the plugin has to link them.
    link: Option<Vec<PathBuf>>,
}

impl Installation {
    /// From the environment, or else from pkg-config.
    pub(crate) fn find() -> Result<Self> {
        println!("cargo:rerun-if-env-changed={INCLUDE}");
        println!("cargo:rerun-if-env-changed={LIB}");
        if let Some(include) = env::var_os(INCLUDE) {
            return Ok(Self {
                include: vec![include.into()],
                link: env::var_os(LIB).map(|lib| vec![lib.into()]),
            });
        }
        let library = pkg_config::Config::new()
            .atleast_version("2.24")
            .cargo_metadata(false)
            .probe("nix-expr-c")
            .with_context(|| {
                format!(
                    "the plugin needs the C API of Nix 2.24 or later: let pkg-config find `nix-expr-c`, or set {INCLUDE} \
                     to the folder of nix_api_expr.h and, before Nix 2.35, {LIB} to that of libnixexprc.so"
                )
            })?;
        Ok(Self {
            link: programs_lack_c_api(&library.version).then_some(library.link_paths),
            include: library.include_paths,
        })
    }

    /// Only the plugin itself is linked: the unit tests do without Nix.
    pub(crate) fn link(&self) {
        for folder in self.link.iter().flatten() {
            println!("cargo:rustc-cdylib-link-arg=-L{}", folder.display());
        }
        if self.link.is_some() {
            for library in LIBRARIES {
                println!("cargo:rustc-cdylib-link-arg=-l{library}");
            }
        }
    }

    pub(crate) fn write_bindings(&self, file: &Path) -> Result<()> {
        for folder in &self.include {
            println!("cargo:rerun-if-changed={}", folder.display());
        }
        let mut builder = bindgen::Builder::default()
            .header_contents(
                "nix.h",
                "#include <nix_api_util.h>\n#include <nix_api_store.h>\n#include <nix_api_expr.h>\n#include <nix_api_value.h>\n",
            )
            // The headers of 2.24 have attributes in double brackets.
            .clang_arg("-std=c2x")
            .clang_args(
                self.include
                    .iter()
                    .map(|folder| format!("-I{}", folder.display())),
            )
            .rust_edition(RustEdition::Edition2024)
            // A later Nix may know more values than these headers.
            .default_enum_style(EnumVariation::NewType {
                is_bitfield: false,
                is_global: false,
            })
            .generate_comments(false)
            .layout_tests(false)
            .use_core();
        for function in FUNCTIONS {
            builder = builder.allowlist_function(function);
        }
        builder
            .generate()
            .context("cannot read the headers of Nix's C API")?
            .write_to_file(file)
            .with_context(|| format!("cannot write {}", file.display()))
    }
}

fn programs_lack_c_api(version: &str) -> bool {
    let mut parts = version
        .split(|character: char| !character.is_ascii_digit())
        .map(|part| part.parse().unwrap_or(0));
    let (major, minor): (u32, u32) = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    (major, minor) < (2, 35)
}
