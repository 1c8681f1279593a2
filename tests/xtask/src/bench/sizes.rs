//! How large programs and saved machines are.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::measurement::{Measurements, Unit};
use super::sandbox::Sandbox;
use super::scripted::bytes_below;

const TEST: &str = "sizes";

pub(super) fn run(sandbox: &Sandbox, found: &mut Measurements) -> Result<()> {
    let toolbox = sandbox.toolbox();
    let tools = toolbox.tools()?;
    let tool = |name: &str| {
        let path = tools.get(name);
        path.with_context(|| format!("the toolbox does not know `{name}`"))
    };
    let mut add = |name: &str, taken_by: &str, bytes: f64| {
        found.add_taken_by(TEST, name, Unit::Megabytes, taken_by, &[bytes / 1e6]);
    };
    let runner = bytes_below(&toolbox.outside(tool("runner")?))?;
    let agent = bytes_below(&toolbox.outside(tool("agent")?))?;
    let du = "du $(cargo xtask path …)";
    add("runner and agent", du, runner + agent);
    add("runner", du, runner);
    add("agent", du, agent);
    add("plugin", du, bytes_below(&toolbox.plugin())?);
    let closure = closure_size(sandbox, tool("qemu")?)?;
    add("closure of QEMU", "nix path-info --closure-size", closure);
    let boot = sandbox.build(&["restored.boot"], &sandbox.fresh())?;
    let by = "du of nix build --file tests/bench/tests.nix restored.boot";
    add("a saved Debian machine", by, bytes_below(boot.result()?)?);
    Ok(())
}

/// Bytes of a store path and all that it refers to.
fn closure_size(sandbox: &Sandbox, path: &str) -> Result<f64> {
    let program = ["nix", "path-info", "--json", "--closure-size", path];
    let output = sandbox.inside(&program).output();
    let output = output.context("cannot enter the toolbox")?;
    let words = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`nix path-info` failed: {words}");
    let info = serde_json::from_slice(&output.stdout).context("nix printed no JSON")?;
    closure_of(&info).context("nix did not say how large a closure is")
}

fn closure_of(info: &Value) -> Option<f64> {
    info.as_object()?
        .values()
        .next()?
        .get("closureSize")?
        .as_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_of_nix_is_understood() {
        let info =
            serde_json::json!({ "/nix/store/a-qemu": { "closureSize": 1500, "narSize": 7 } });
        assert_eq!(closure_of(&info), Some(1500.0));
        assert_eq!(closure_of(&serde_json::json!([])), None);
    }
}
