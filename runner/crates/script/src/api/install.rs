//! Gives Python classes what the tables list.

use rustpython_vm::builtins::PyType;
use rustpython_vm::function::{FuncArgs, PyMethodDef, PyMethodFlags, PySetterValue};
use rustpython_vm::{Py, PyObject, PyObjectRef, PyResult, VirtualMachine};

use super::{Access, Class, Property};
use crate::arguments;

/// Gives `class` its methods and other attributes.
pub(crate) fn install(
    description: &'static Class,
    class: &'static Py<PyType>,
    vm: &VirtualMachine,
) {
    for function in description.functions() {
        let call = move |vm: &VirtualMachine, mut given: FuncArgs| -> PyResult {
            let receiver = given.shift();
            let arguments = arguments::bind(description.name, function, given, vm)?;
            (function.call)(&receiver, &arguments, vm)
        };
        let of_class = description.of_class.contains(&function.name);
        let definition: &'static PyMethodDef = Box::leak(Box::new(PyMethodDef {
            name: function.name,
            func: if of_class {
                Box::leak(Box::new(move |vm: &VirtualMachine, given: FuncArgs| {
                    let arguments = arguments::bind(description.name, function, given, vm)?;
                    (function.call)(&vm.ctx.none(), &arguments, vm)
                }))
            } else {
                Box::leak(Box::new(call))
            },
            flags: if of_class {
                PyMethodFlags::STATIC
            } else {
                PyMethodFlags::METHOD
            },
            doc: Some(function.doc),
        }));
        let method: PyObjectRef = if of_class {
            definition.build_staticmethod(&vm.ctx, class).into()
        } else {
            definition.build_method(&vm.ctx, class).into()
        };
        class.set_attr(vm.ctx.intern_str(function.name), method);
    }
    for property in description.properties {
        let attribute = vm.ctx.new_static_getset(
            property.name,
            class,
            move |object: PyObjectRef, vm: &VirtualMachine| read(property, &object, vm),
            move |object: PyObjectRef, value: PySetterValue, vm: &VirtualMachine| {
                write(property, &object, value, vm)
            },
        );
        class.set_attr(vm.ctx.intern_str(property.name), attribute.into());
    }
}

fn read(property: &Property, object: &PyObject, vm: &VirtualMachine) -> PyResult {
    let written = match object.dict() {
        Some(attributes) => attributes.get_item_opt(property.name, vm)?,
        None => None,
    };
    written.map_or_else(|| (property.get)(object, vm), Ok)
}

fn write(
    property: &Property,
    object: &PyObject,
    value: PySetterValue,
    vm: &VirtualMachine,
) -> PyResult<()> {
    let refused = |what| {
        let message = format!("attribute '{}' cannot be {what}", property.name);
        Err(vm.new_attribute_error(message))
    };
    match (property.access, value, object.dict()) {
        (Access::Set(set), PySetterValue::Assign(value), _) => set(object, value, vm),
        (Access::Written, PySetterValue::Assign(value), Some(attributes)) => {
            attributes.set_item(property.name, value, vm)
        }
        (Access::Written, PySetterValue::Delete, Some(attributes)) => {
            attributes.del_item(property.name, vm)
        }
        (_, PySetterValue::Assign(_), _) => refused("written"),
        (_, PySetterValue::Delete, _) => refused("deleted"),
    }
}
