//! The modules that scripts import as `test_driver`: a little Python around the native classes.

use rustpython_vm::builtins::{PyModule, PyStrRef};
use rustpython_vm::function::{FuncArgs, KwArgs, OptionalArg};
use rustpython_vm::scope::Scope;
use rustpython_vm::{Py, PyObjectRef, PyPayload, PyRef, PyResult, VirtualMachine, pyclass};

/// Name, source, and whether other modules lie below it.
struct Embedded(&'static str, &'static str, bool);

/// Where a module's source lies.
macro_rules! embedded {
    ($($name:literal $path:literal $package:literal;)*) => {
        &[$(Embedded($name, include_str!(concat!("python/", $path)), $package),)*]
    };
}

const MODULES: &[Embedded] = embedded! {
    "test_driver" "test_driver/__init__.py" true;
    "test_driver.debug" "test_driver/debug.py" false;
    "test_driver.driver" "test_driver/driver.py" false;
    "test_driver.duration" "test_driver/duration.py" false;
    "test_driver.efi" "test_driver/efi.py" false;
    "test_driver.errors" "test_driver/errors.py" false;
    "test_driver.group" "test_driver/group.py" false;
    "test_driver.logger" "test_driver/logger.py" false;
    "test_driver.machine" "test_driver/machine/__init__.py" true;
    "test_driver.machine.ocr" "test_driver/machine/ocr.py" false;
    "test_driver.machine.qmp" "test_driver/machine/qmp.py" false;
    "test_driver.polling_condition" "test_driver/polling_condition.py" false;
    "test_driver.qmp" "test_driver/qmp.py" false;
    "test_driver.vlan" "test_driver/vlan.py" false;
};

/// What finds them, in `sys.meta_path`.
#[pyclass(module = "test_driver", name = "Importer")]
#[derive(Debug, PyPayload)]
pub(crate) struct Importer;

impl Importer {
    /// Makes the modules importable.
    pub(crate) fn install(vm: &VirtualMachine) -> PyResult<()> {
        let finders = vm.sys_module.get_attr("meta_path", vm)?;
        let importer = Self.into_ref(&vm.ctx);
        vm.call_method(&finders, "insert", (0, importer)).map(drop)
    }
}

#[pyclass]
impl Importer {
    #[pymethod]
    fn find_spec(
        zelf: PyRef<Self>,
        name: PyStrRef,
        _path: OptionalArg<PyObjectRef>,
        _target: OptionalArg<PyObjectRef>,
        vm: &VirtualMachine,
    ) -> PyResult {
        let Some(Embedded(_, _, package)) = embedded(&name) else {
            return Ok(vm.ctx.none());
        };
        let class = vm
            .import("_frozen_importlib", 0)?
            .get_attr("ModuleSpec", vm)?;
        let keywords: KwArgs = [
            ("origin".to_owned(), vm.ctx.new_str("vmtest").into()),
            ("is_package".to_owned(), vm.ctx.new_bool(*package).into()),
        ]
        .into_iter()
        .collect();
        class.call(FuncArgs::new(vec![name.into(), zelf.into()], keywords), vm)
    }

    #[pymethod]
    fn create_module(&self, _spec: PyObjectRef, vm: &VirtualMachine) -> PyObjectRef {
        vm.ctx.none()
    }

    #[pymethod]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the interpreter gives arguments by value"
    )]
    fn exec_module(&self, module: PyRef<PyModule>, vm: &VirtualMachine) -> PyResult<()> {
        let name: PyStrRef = module.get_attr("__name__", vm)?.try_into_value(vm)?;
        let Some(Embedded(name, source, _)) = embedded(&name) else {
            return Err(vm.new_runtime_error("not a module of the driver"));
        };
        execute(name, source, &module, vm)
    }
}

fn embedded(name: &PyStrRef) -> Option<&'static Embedded> {
    let name = name.to_string_lossy();
    MODULES.iter().find(|module| module.0 == name)
}

fn execute(name: &str, source: &str, module: &Py<PyModule>, vm: &VirtualMachine) -> PyResult<()> {
    let scope = Scope::with_builtins(None, module.dict(), vm);
    vm.run_string(scope, source, format!("<{name}>")).map(drop)
}

/// One of the modules.
pub(crate) fn import(name: &'static str, vm: &VirtualMachine) -> PyResult {
    // What an import returns is the outermost package.
    vm.import(name, 0)?;
    vm.sys_module.get_attr("modules", vm)?.get_item(name, vm)
}

/// A name that one of the modules defines.
pub(crate) fn import_from(
    module: &'static str,
    name: &'static str,
    vm: &VirtualMachine,
) -> PyResult {
    import(module, vm)?.get_attr(name, vm)
}

/// The names of the modules of the driver that scripts can import.
pub fn names() -> impl Iterator<Item = &'static str> {
    MODULES.iter().map(|module| module.0)
}
