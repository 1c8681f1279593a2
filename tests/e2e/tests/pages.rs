//! Pages of reports in a browser: they load without errors, their filters work, and what they look like is kept in the folder of
//! the build, to be looked at.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use e2e::expected::REPORTED;
use e2e::toolbox::Toolbox;
use serde_json::Value;

/// Stands first on the page: notes whatever goes wrong.
const LISTENER: &str = r#"<script>
const wrong = [];
addEventListener("error", (event) => wrong.push(String(event.message)), true);
addEventListener("securitypolicyviolation", (event) => wrong.push(event.violatedDirective));
console.error = (...words) => wrong.push(words.join(" "));
</script>"#;

/// Stands last on the page: uses it, and writes down what came of it.
const VISITOR: &str = r##"<script>
const form = document.querySelector(".filter");
const rows = () => [...document.querySelectorAll(".log > div")];
const choose = (name, value) => {
  form.elements[name].value = value;
  form.dispatchEvent(new Event("input"));
};
const option = (name, text) => [...form.elements[name].options].find((option) => option.text === text).value;
const text = (row) => row.querySelector("span").textContent;
const found = { all: rows().length };
choose("text", "THIS IS WHY");
found.searched = rows().map(text);
found.marks = document.querySelectorAll(".log mark").length;
choose("text", "");
choose("unit", option("unit", "broken.service"));
found.ofUnit = rows().map(text);
choose("unit", "");
choose("priority", option("priority", "warnings and worse"));
found.bad = rows().length;
choose("priority", "");
choose("source", option("source", "console"));
found.console = rows().length;
choose("source", "");
found.again = rows().length;
const step = document.querySelector("#slowest a");
step.click();
found.details = document.querySelector("#steps details").open;
found.pictures = [...document.images].map((picture) => picture.naturalWidth);
found.width = document.documentElement.scrollWidth - innerWidth;
found.wrong = wrong;
document.body.dataset.found = JSON.stringify(found);
</script>"##;

/// A folder that the browser sees.
fn folder(name: &str) -> Result<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("reports")
        .join(name);
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// The report of a test, as it lies outside of the toolbox.
fn page(toolbox: &Toolbox, test: &str) -> Result<String> {
    let attribute = format!("{test}.report");
    let mut arguments = vec!["build", "--print-out-paths", "--no-link", &attribute];
    // A script that is wrong is found out by the build then.
    arguments.extend(["--option", "plugin-files", ""]);
    let output = toolbox.nix(&arguments)?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "`{attribute}` cannot be built:\n{said}"
    );
    let out = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    toolbox.read(&format!("{out}/index.html"))
}

#[test]
fn a_page_is_used() -> Result<()> {
    let toolbox = Toolbox::find()?;
    let page = page(&toolbox, "fails-gated")?;
    let page = page.replacen("<head>", &format!("<head>{LISTENER}"), 1);
    let page = page.replacen("</body>", &format!("{VISITOR}</body>"), 1);
    let file = folder("used")?.join("index.html");
    fs::write(&file, page)?;
    let url = format!("file://{}", file.display());
    for window in ["--window-size=1280,900", "--window-size=500,900"] {
        let dom = toolbox.browser(&[window, "--dump-dom", &url])?;
        let found = dom
            .split("data-found=\"")
            .nth(1)
            .context("the visitor did not come to its end")?;
        let found = found.split('"').next().context("no end")?;
        let found: Value =
            serde_json::from_str(&found.replace("&quot;", "\"").replace("&amp;", "&"))?;
        ensure!(found["wrong"] == serde_json::json!([]), "{found:#}");
        let number = |name: &str| found[name].as_u64().unwrap_or(0);
        ensure!(
            number("all") > 100 && number("again") == number("all"),
            "{found:#}"
        );
        let lines = |name: &str| found[name].as_array().cloned().unwrap_or_default();
        let has = |name: &str, text: &str| {
            let lines = lines(name);
            !lines.is_empty()
                && lines
                    .iter()
                    .any(|line| line.as_str().is_some_and(|line| line.contains(text)))
        };
        ensure!(
            has("searched", "this is why") && number("marks") >= lines("searched").len() as u64,
            "{found:#}"
        );
        ensure!(
            has("ofUnit", "Failed with result 'exit-code'") && lines("ofUnit").len() < 20,
            "{found:#}"
        );
        ensure!(
            number("bad") > 0 && number("bad") < number("all"),
            "{found:#}"
        );
        ensure!(
            number("console") > 0 && number("console") < number("all"),
            "{found:#}"
        );
        ensure!(
            found["details"] == true,
            "a link to a step opens the list of all: {found:#}"
        );
        ensure!(
            lines("pictures")
                .iter()
                .any(|width| width.as_u64() > Some(100)),
            "{found:#}"
        );
        ensure!(
            found["width"].as_i64() <= Some(0),
            "the page is wider than its window: {found:#}"
        );
    }
    Ok(())
}

#[test]
fn pages_are_drawn() -> Result<()> {
    let toolbox = Toolbox::find()?;
    for reported in REPORTED {
        let folder = folder(reported.test)?;
        fs::write(folder.join("index.html"), page(&toolbox, reported.test)?)?;
        let url = format!("file://{}", folder.join("index.html").display());
        for (name, window, scheme) in [
            ("light", "1280,1100", 1),
            ("dark", "1280,1100", 0),
            ("narrow", "500,1100", 1),
        ] {
            let picture = folder.join(format!("{name}.png"));
            let _ = fs::remove_file(&picture);
            toolbox.browser(&[
                &format!("--window-size={window}"),
                &format!("--blink-settings=preferredColorScheme={scheme}"),
                &format!("--screenshot={}", picture.display()),
                &url,
            ])?;
            let bytes = fs::read(&picture).with_context(|| picture.display().to_string())?;
            ensure!(bytes.starts_with(b"\x89PNG"), "{}", picture.display());
        }
        // Each scheme is drawn in colours of its own.
        let [light, dark] =
            ["light", "dark"].map(|name| fs::read(folder.join(format!("{name}.png"))));
        ensure!(
            light? != dark?,
            "{}: light and dark are the same",
            reported.test
        );
    }
    Ok(())
}
