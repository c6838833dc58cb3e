//! How the numbers of an image are made independent of each other before the network sees them.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Where the whitened numbers stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whitening {
    /// As near to the pixels as can be: U·diag(1/√(λ+ε))·Uᵀ. The image still looks like one.
    Zca,
    /// Along the principal components, the strongest first: diag(1/√(λ+ε))·Uᵀ. What stands where no longer matters.
    Pca,
}

/// Whitening, written `zca eps=0.1`: x' = W·(x − mean), with the mean and the covariance of the training images
/// (Hyvärinen, Hurri and Hoyer, *Natural Image Statistics*, 2009; the UFLDL tutorial).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Whiten {
    /// Which.
    pub by: Whitening,
    /// What is added to the variance along each component, above 0: small variances are mostly noise.
    pub eps: f64,
}

impl Whiten {
    /// `zca` with ε = 0.1, as the UFLDL tutorial has it for pixels from 0 to 1.
    pub const USUAL: Whiten = Whiten {
        by: Whitening::Zca,
        eps: 0.1,
    };
    /// Numbers of an image up to which it is whitened: the eigenvectors of the covariance take time by their third
    /// power, some seconds here.
    pub const MOST_NUMBERS: u64 = 1024;
}

impl fmt::Display for Whiten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.by {
            Whitening::Zca => "zca",
            Whitening::Pca => "pca",
        };
        write!(f, "{word} eps={}", self.eps)
    }
}

impl FromStr for Whiten {
    type Err = String;

    fn from_str(text: &str) -> Result<Whiten, String> {
        let wrong = || format!("“{text}” is no whitening: write zca eps=0.1 or pca eps=0.1");
        let mut words = text.split_whitespace();
        let by = match words.next() {
            Some("zca") => Whitening::Zca,
            Some("pca") => Whitening::Pca,
            _ => return Err(wrong()),
        };
        let eps = match words.next().map(|word| word.strip_prefix("eps=")) {
            None => Whiten::USUAL.eps,
            Some(number) => number.and_then(|n| n.parse().ok()).ok_or_else(wrong)?,
        };
        if words.next().is_some() {
            return Err(wrong());
        }
        if !(eps > 0.0 && f64::is_finite(eps)) {
            return Err(format!(
                "{eps} is added to variances that may be 0, and divides: write a number above 0, such as eps=0.1"
            ));
        }
        Ok(Whiten { by, eps })
    }
}

impl From<Whiten> for String {
    fn from(whiten: Whiten) -> String {
        whiten.to_string()
    }
}

impl TryFrom<String> for Whiten {
    type Error = String;

    fn try_from(text: String) -> Result<Whiten, String> {
        text.parse()
    }
}

/// What is taken away from each image by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Center {
    /// The mean of all of its numbers: how bright it is.
    Patch,
}

impl Center {
    /// All of them.
    pub const ALL: [Center; 1] = [Center::Patch];

    /// `patch`.
    pub fn name(self) -> &'static str {
        match self {
            Center::Patch => "patch",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_and_written() {
        for (text, by, eps) in [
            ("zca eps=0.1", Whitening::Zca, 0.1),
            ("pca eps=0.001", Whitening::Pca, 0.001),
        ] {
            let whiten: Whiten = text.parse().unwrap();
            assert_eq!(whiten, Whiten { by, eps });
            assert_eq!(whiten.to_string(), text);
        }
        assert_eq!("zca".parse(), Ok(Whiten::USUAL));
        for wrong in ["", "zcca", "zca 0.1", "zca eps=0.1 more", "zca eps=x"] {
            let error = wrong.parse::<Whiten>().unwrap_err();
            assert!(error.contains("zca eps=0.1"), "{error}");
        }
        for none in ["zca eps=0", "pca eps=-1", "zca eps=inf", "zca eps=nan"] {
            let error = none.parse::<Whiten>().unwrap_err();
            assert!(error.contains("above 0"), "{none}: {error}");
        }
    }
}
