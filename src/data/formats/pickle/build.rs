//! The few globals that arrays of numbers are made with, and what calling and filling them does.
//! Fails on any other global, by name, and on arrays whose bytes are not as many as their shape.

use super::machine::Machine;
use super::{Array, Id, MOST_PARTS, Value, text};
use crate::formats::array::{Element, shortened};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Global {
    /// `numpy.core.multiarray._reconstruct`: an array that BUILD fills.
    Reconstruct,
    /// `numpy.ndarray`, the first argument of the former.
    NdArray,
    /// `numpy.dtype`.
    Dtype,
    /// `_codecs.encode`: Python 3 writes bytes so in the old protocols.
    Encode,
    /// `numpy.core.numeric._frombuffer`: an array in protocol 5.
    FromBuffer,
    /// `numpy.core.multiarray.scalar`.
    Scalar,
    /// `bytes` or `bytearray`, called with nothing or with bytes.
    Bytes,
}

fn known(module: &str, name: &str) -> Option<Global> {
    match (module, name) {
        ("numpy.core.multiarray" | "numpy._core.multiarray", "_reconstruct") => {
            Some(Global::Reconstruct)
        }
        ("numpy.core.multiarray" | "numpy._core.multiarray", "scalar") => Some(Global::Scalar),
        ("numpy.core.numeric" | "numpy._core.numeric", "_frombuffer") => Some(Global::FromBuffer),
        ("numpy", "ndarray") => Some(Global::NdArray),
        ("numpy", "dtype") => Some(Global::Dtype),
        ("_codecs", "encode") => Some(Global::Encode),
        ("__builtin__" | "builtins", "bytes" | "bytearray") => Some(Global::Bytes),
        _ => None,
    }
}

impl Machine<'_> {
    pub(crate) fn construction(&mut self, opcode: u8) -> Result<(), String> {
        match opcode {
            b'c' => {
                let (module, name) = (self.line_text()?, self.line_text()?);
                self.global(module, name)
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                let words = (self.pickle.text(module), self.pickle.text(name));
                self.global(&words.0.unwrap_or_default(), &words.1.unwrap_or_default())
            }
            b'R' => self.call(),
            _ => self.build(),
        }
    }

    fn global(&mut self, module: &str, name: &str) -> Result<(), String> {
        match known(module, name) {
            Some(global) => self.push(Value::Global(global)),
            None => Err(format!(
                "it asks Python to run {}.{}, and only numbers, strings and arrays are read from a pickle",
                shortened(module),
                shortened(name)
            )),
        }
    }

    fn call(&mut self) -> Result<(), String> {
        let (arguments, called) = (self.pop()?, self.pop()?);
        let (Some(Value::Global(global)), Some(Value::Tuple(arguments))) =
            (self.pickle.value(called), self.pickle.value(arguments))
        else {
            return Err(self.wrong("something is called that cannot be"));
        };
        let (global, arguments) = (*global, self.few(arguments)?);
        match global {
            Global::Reconstruct => self.push(Value::Empty),
            Global::Dtype => self.dtype(&arguments),
            Global::Encode => self.encode(&arguments),
            Global::FromBuffer => self.buffered(&arguments),
            Global::Scalar => self.scalar(&arguments),
            Global::Bytes => self.make_bytes(&arguments),
            Global::NdArray => Err(self.wrong("an array is called")),
        }
    }

    /// A copy of a few values: many, copied over and over, would be a bomb.
    fn few(&self, values: &[Id]) -> Result<Vec<Id>, String> {
        if values.len() <= MOST_PARTS {
            Ok(values.to_vec())
        } else {
            Err(self.wrong(&format!("{} values where a few are wanted", values.len())))
        }
    }

    /// How many values a list or a tuple has.
    fn parts(&self, id: Id) -> usize {
        match self.pickle.value(id) {
            Some(Value::List(items) | Value::Tuple(items)) => items.len(),
            Some(Value::Array(array)) => array.shape.iter().product(),
            _ => 0,
        }
    }

    fn dtype(&mut self, arguments: &[Id]) -> Result<(), String> {
        let name = arguments
            .first()
            .and_then(|&name| self.pickle.text(name))
            .unwrap_or_default();
        let element = Element::parse(&name)?;
        self.push(Value::Element(element))
    }

    /// The text's code points as bytes.
    fn encode(&mut self, arguments: &[Id]) -> Result<(), String> {
        let text = arguments.first().and_then(|&text| self.pickle.bytes(text));
        let coding = arguments.get(1).and_then(|&name| self.pickle.text(name));
        let bytes = match coding.as_deref() {
            Some("latin1" | "latin-1" | "iso-8859-1") => text.and_then(text::latin1),
            _ => None,
        };
        let bytes = bytes.ok_or_else(|| self.wrong("bytes that are not written as latin1"))?;
        self.push_made(bytes)
    }

    fn make_bytes(&mut self, arguments: &[Id]) -> Result<(), String> {
        match arguments {
            [] => self.push_made(Vec::new()),
            [one] if self.pickle.bytes(*one).is_some() => {
                self.push_again(*one);
                Ok(())
            }
            _ => Err(self.wrong("bytes are made from something else")),
        }
    }

    fn scalar(&mut self, arguments: &[Id]) -> Result<(), String> {
        let [element, bytes] = arguments else {
            return Err(self.wrong("a number of NumPy without its bytes"));
        };
        let element = self.element(*element)?;
        let bytes = self.pickle.bytes(*bytes).unwrap_or_default();
        match element.whole(bytes) {
            Some(number) => self.push(Value::Int(number)),
            None => self.push(Value::Float),
        }
    }

    /// `(bytes, dtype, shape, order)`.
    fn buffered(&mut self, arguments: &[Id]) -> Result<(), String> {
        let [bytes, element, shape, order] = arguments else {
            return Err(self.wrong("an array without shape or order"));
        };
        let by_column = self.pickle.bytes(*order) == Some(b"F");
        let array = self.make_array(*shape, *element, by_column, *bytes)?;
        self.push(Value::Array(array))
    }

    fn build(&mut self) -> Result<(), String> {
        let state = self.pop()?;
        let target = self.top()?;
        let Some(Value::Tuple(state)) = self.pickle.value(state) else {
            return Err(self.wrong("a state that is no tuple"));
        };
        let state = self.few(state)?;
        let filled = match self.pickle.value(target) {
            Some(Value::Element(element)) => Value::Element(self.ordered(*element, &state)),
            Some(Value::Empty) => Value::Array(self.fill(&state)?),
            _ => return Err(self.wrong("a state for what has none")),
        };
        *self.value_mut(target)? = filled;
        Ok(())
    }

    /// A dtype's state is `(version, order of bytes, …)`.
    fn ordered(&self, element: Element, state: &[Id]) -> Element {
        let order = state.get(1).and_then(|&order| self.pickle.bytes(order));
        element.ordered(order == Some(b">"))
    }

    /// An array's state is `(version, shape, dtype, by column, bytes)`.
    fn fill(&self, state: &[Id]) -> Result<Array, String> {
        let [_, shape, element, by_column, bytes] = state else {
            return Err(self.wrong("an array whose state has not five parts"));
        };
        self.make_array(
            *shape,
            *element,
            self.pickle.number(*by_column) == Some(1),
            *bytes,
        )
    }

    fn make_array(
        &self,
        shape: Id,
        element: Id,
        by_column: bool,
        bytes: Id,
    ) -> Result<Array, String> {
        let axes = self.parts(shape);
        if axes > MOST_PARTS {
            return Err(self.wrong(&format!("an array of {axes} axes")));
        }
        let shape = self.pickle.numbers(shape).and_then(|axes| {
            axes.into_iter()
                .map(|axis| usize::try_from(axis).ok())
                .collect::<Option<Vec<usize>>>()
        });
        let shape = shape.ok_or_else(|| self.wrong("an array without a shape"))?;
        let element = self.element(element)?;
        let wanted = shape
            .iter()
            .try_fold(element.size(), |product, &axis| product.checked_mul(axis));
        let found = self
            .pickle
            .bytes(bytes)
            .ok_or_else(|| self.wrong("an array without bytes"))?
            .len();
        if wanted != Some(found) {
            return Err(format!("an array of the shape {shape:?} has {found} bytes"));
        }
        Ok(Array {
            element,
            shape,
            by_column,
            bytes,
        })
    }

    fn element(&self, id: Id) -> Result<Element, String> {
        match self.pickle.value(id) {
            Some(Value::Element(element)) => Ok(*element),
            _ => Err(self.wrong("an array without a type")),
        }
    }
}
