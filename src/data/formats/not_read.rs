//! Files that people have and that are not read: known by their endings or their first bytes, with the lines of
//! Python that turn them into what is read.

use std::path::Path;

/// A kind of file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotRead {
    /// With its article, `a HEIC photograph`.
    pub name: &'static str,
    endings: &'static [&'static str],
    /// Lines of Python; `FOLDER` stands for the folder of the files.
    python: &'static str,
}

impl NotRead {
    /// The lines of Python for the files in a folder.
    pub fn python(&self, folder: &Path) -> String {
        self.python
            .replace("FOLDER", &folder.display().to_string().replace('\\', "/"))
    }
}

static KINDS: [NotRead; 17] = [
    NotRead {
        name: "a HEIC photograph",
        endings: &["heic", "heif", "hif"],
        python: "import pathlib, pillow_heif; from PIL import Image  # pip install pillow pillow-heif\n\
                 pillow_heif.register_heif_opener()\n\
                 for f in pathlib.Path(\"FOLDER\").rglob(\"*.[hH][eE][iI]*\"): Image.open(f).convert(\"RGB\").save(f.with_suffix(\".jpg\"), quality=95)",
    },
    NotRead {
        name: "an AVIF image",
        endings: &["avif"],
        python: "import pathlib; from PIL import Image  # pip install \"pillow>=11.3\"\n\
                 for f in pathlib.Path(\"FOLDER\").rglob(\"*.avif\"):\n    \
                 Image.open(f).convert(\"RGB\").save(f.with_suffix(\".png\"))",
    },
    NotRead {
        name: "a JPEG 2000 image",
        endings: &["jp2", "j2k", "jpf", "jpx", "j2c"],
        python: "import pathlib; from PIL import Image  # pip install pillow\n\
                 for f in pathlib.Path(\"FOLDER\").rglob(\"*.j[p2][2kfxc]\"):\n    \
                 Image.open(f).save(f.with_suffix(\".png\"))",
    },
    NotRead {
        name: "a TFRecord file",
        endings: &["tfrecord", "tfrecords", "tfrec"],
        python: "import pathlib, tensorflow as tf  # pip install tensorflow; \"image\" and \"label\" may be called otherwise\n\
                 for n, r in enumerate(tf.data.TFRecordDataset(tf.io.gfile.glob(\"FOLDER/*tfrec*\"))):\n    \
                 e = tf.train.Example.FromString(r.numpy()).features.feature; p = pathlib.Path(\"FOLDER/images\", str(e[\"label\"].int64_list.value[0])); p.mkdir(parents=True, exist_ok=True); (p / f\"{n}.jpg\").write_bytes(e[\"image\"].bytes_list.value[0])",
    },
    NotRead {
        name: "a DICOM image",
        endings: &["dcm", "dicom"],
        python: "import pathlib, pydicom, numpy as np; from PIL import Image  # pip install pydicom pillow\n\
                 for f in pathlib.Path(\"FOLDER\").rglob(\"*.dcm\"):\n    \
                 Image.fromarray(pydicom.dcmread(f).pixel_array.astype(np.uint16)).save(f.with_suffix(\".png\"))",
    },
    NotRead {
        name: "a NIfTI volume",
        endings: &["nii", "nii.gz"],
        python: "import pathlib, nibabel, numpy as np  # pip install nibabel\n\
                 x = np.stack([nibabel.load(f).get_fdata(dtype=np.float32) for f in sorted(pathlib.Path(\"FOLDER\").rglob(\"*.nii*\"))])\n\
                 np.save(\"FOLDER/x.npy\", x[:, None])",
    },
    NotRead {
        name: "a camera's raw image",
        endings: &["cr2", "cr3", "nef", "arw", "dng", "raf", "orf", "rw2"],
        python: "import pathlib, rawpy; from PIL import Image  # pip install rawpy pillow\n\
                 for f in [f for e in (\"cr2\", \"cr3\", \"nef\", \"arw\", \"dng\", \"raf\", \"orf\", \"rw2\") for f in pathlib.Path(\"FOLDER\").rglob(f\"*.{e}\", case_sensitive=False)]:\n    \
                 Image.fromarray(rawpy.imread(str(f)).postprocess()).save(f.with_suffix(\".png\"))",
    },
    NotRead {
        name: "a JPEG XL image",
        endings: &["jxl"],
        python: "import pathlib, pillow_jxl; from PIL import Image  # pip install pillow pillow-jxl-plugin\n\
                 for f in pathlib.Path(\"FOLDER\").rglob(\"*.jxl\"):\n    \
                 Image.open(f).convert(\"RGB\").save(f.with_suffix(\".png\"))",
    },
    NotRead {
        name: "a drawing (SVG, EPS, PDF)",
        endings: &["svg", "eps", "pdf"],
        python: "import pathlib, fitz  # pip install pymupdf\n\
                 for f in [f for e in (\"svg\", \"pdf\") for f in pathlib.Path(\"FOLDER\").rglob(f\"*.{e}\")]:\n    \
                 fitz.open(f)[0].get_pixmap(dpi=150).save(f.with_suffix(\".png\"))",
    },
    NotRead {
        name: "a Photoshop document",
        endings: &["psd"],
        python: "import pathlib, psd_tools  # pip install psd-tools\n\
                 for f in pathlib.Path(\"FOLDER\").rglob(\"*.psd\"):\n    \
                 psd_tools.PSDImage.open(f).composite().convert(\"RGB\").save(f.with_suffix(\".png\"))",
    },
    NotRead {
        name: "an image of an uncommon kind (TGA, ICO, HDR, EXR, DDS, PCX)",
        endings: &["tga", "ico", "hdr", "exr", "dds", "pcx", "ppmx"],
        python: "import pathlib, imageio.v3 as iio  # pip install \"imageio[opencv]\"\n\
                 for f in [f for e in (\"tga\", \"ico\", \"hdr\", \"exr\", \"dds\", \"pcx\") for f in pathlib.Path(\"FOLDER\").rglob(f\"*.{e}\")]:\n    \
                 iio.imwrite(f.with_suffix(\".png\"), iio.imread(f))",
    },
    NotRead {
        name: "a video",
        endings: &["mp4", "avi", "mov", "mkv", "webm", "mpg", "mpeg", "wmv"],
        python: "import pathlib, cv2  # pip install opencv-python; every 30th picture\n\
                 for f in pathlib.Path(\"FOLDER\").rglob(\"*.[ma][pokv][4ivgv]*\"):\n    \
                 v = cv2.VideoCapture(str(f)); [cv2.imwrite(str(f.with_suffix(f\".{n}.png\")), p) for n in range(10**6) if v.grab() and n % 30 == 0 for _, p in [v.retrieve()]]",
    },
    NotRead {
        name: "an array of one image (NumPy)",
        endings: &["npy"],
        python: "import pathlib, numpy as np  # one array a class\n\
                 for d in [d for d in pathlib.Path(\"FOLDER\").rglob(\"*\") if any(d.glob(\"*.npy\"))]:\n    \
                 np.save(f\"{d}.npy\", np.stack([np.load(f) for f in sorted(d.glob(\"*.npy\"))]))",
    },
    NotRead {
        name: "a table of JSON lines",
        endings: &["jsonl", "ndjson"],
        python: "import pathlib, pandas  # pip install pandas\n\
                 for f in pathlib.Path(\"FOLDER\").rglob(\"*json*\"):\n    \
                 pandas.read_json(f, lines=True).to_csv(f.with_suffix(\".csv\"), index=False)",
    },
    NotRead {
        name: "an Arrow file of Hugging Face's library",
        endings: &["arrow"],
        python: "import pathlib, datasets  # pip install datasets\n\
                 for f in pathlib.Path(\"FOLDER\").rglob(\"*.arrow\"):\n    \
                 datasets.Dataset.from_file(str(f)).to_parquet(str(f.with_suffix(\".parquet\")))",
    },
    NotRead {
        name: "a file of Python's objects (pickle, PyTorch)",
        endings: &["pkl", "pickle", "pt", "pth"],
        python: "import pathlib, numpy as np, torch  # x and y may be called otherwise; open only files of people whom you trust\n\
                 for f in [f for e in (\"pkl\", \"pickle\", \"pt\", \"pth\") for f in pathlib.Path(\"FOLDER\").rglob(f\"*.{e}\")]:\n    \
                 d = torch.load(f, weights_only=False) if f.suffix in (\".pt\", \".pth\") else np.load(f, allow_pickle=True); np.savez(f.with_suffix(\".npz\"), x=d[\"x\"], y=d[\"y\"])",
    },
    NotRead {
        name: "an archive",
        endings: &[
            "zip", "tar", "tgz", "tar.gz", "7z", "rar", "tar.bz2", "tar.xz",
        ],
        python: "import shutil, pathlib\n\
                 for f in [f for e in (\"zip\", \"tar\", \"tgz\", \"tar.gz\") for f in pathlib.Path(\"FOLDER\").glob(f\"*.{e}\")]:\n    \
                 shutil.unpack_archive(f, \"FOLDER\")",
    },
];

/// The kind that a name says.
pub(crate) fn by_name(path: &Path) -> Option<&'static NotRead> {
    let name = path.file_name()?.to_string_lossy().to_lowercase();
    // Shards are called `train.tfrecord-00000-of-00004`.
    let name = match name.find(".tfrecord-") {
        Some(at) => name.get(..at + ".tfrecord".len())?.to_owned(),
        None => name,
    };
    let has = |ending: &&str| {
        name.strip_suffix(*ending)
            .is_some_and(|stem| stem.len() > 1 && stem.ends_with('.'))
    };
    KINDS.iter().find(|kind| kind.endings.iter().any(has))
}

/// The kind that the first bytes say.
pub(crate) fn by_content(first: &[u8]) -> Option<&'static NotRead> {
    let ending = match first {
        [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => match brand.get(..4)? {
            b"heic" | b"heix" | b"hevc" | b"mif1" | b"msf1" | b"heim" | b"heis" => "heic",
            b"avif" | b"avis" => "avif",
            b"crx " => "cr3",
            _ => "mp4",
        },
        [0, 0, 0, 12, b'j', b'P', ..] | [0xff, 0x4f, 0xff, 0x51, ..] => "jp2",
        [0, 0, 0, 12, b'J', b'X', ..] | [0xff, 0x0a, ..] => "jxl",
        [b'8', b'B', b'P', b'S', ..] => "psd",
        [b'%', b'P', b'D', b'F', ..] => "pdf",
        [b'<', b's', b'v', b'g', ..] => "svg",
        [b'P', b'K', 3, 4, ..] | [b'R', b'a', b'r', b'!', ..] => "zip",
        _ => return None,
    };
    KINDS.iter().find(|kind| kind.endings.contains(&ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_known_by_name_and_by_content() {
        for (name, part) in [
            ("a/IMG_0.HEIC", "HEIC"),
            ("x.jp2", "JPEG 2000"),
            ("flowers/train.tfrecord-00000-of-00004", "TFRecord"),
            ("00-224x224.tfrec", "TFRecord"),
            ("scan.dcm", "DICOM"),
            ("brain.nii.gz", "NIfTI"),
            ("photo.NEF", "raw"),
            ("clip.mp4", "video"),
            ("all.tar.gz", "archive"),
        ] {
            assert!(
                by_name(Path::new(name)).unwrap().name.contains(part),
                "{name}"
            );
        }
        for name in ["a.jpg", "heic", ".heic", "notes.txt", "a.heic.txt"] {
            assert_eq!(by_name(Path::new(name)), None, "{name}");
        }
        let heic = by_content(b"\0\0\0\x18ftypheic\0\0\0\0").unwrap();
        assert!(heic.name.contains("HEIC"));
        assert!(by_content(b"\0\0\0\x0cjP  ").unwrap().name.contains("2000"));
        assert_eq!(by_content(b"<html>"), None);
    }

    #[test]
    fn every_kind_has_three_lines_of_python_for_its_folder() {
        for kind in &KINDS {
            let python = kind.python(Path::new("/data/mine"));
            assert_eq!(python.lines().count(), 3, "{}", kind.name);
            assert!(
                python.contains("/data/mine") && !python.contains("FOLDER"),
                "{python}"
            );
        }
    }
}
