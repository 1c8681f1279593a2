//! Pictures of screens as a reader of text wants them.
//!
//! What helped was measured with tesseract 5.3 on the VGA console and on text of 11 to 14 pixels, light on dark and dark
//! on light: four times the size and dark letters on light ground read best. Consoles are read better as one block of
//! lines, graphical screens as scattered words.

use std::io::Cursor;

use image::imageops::{self, FilterType};
use image::{GrayImage, ImageFormat, ImageReader, ImageResult};

/// How much larger letters are made: those of a screen have fewer pixels than those of the scans that readers know.
const SCALE: u32 = 4;

/// The part of all pixels, one in so many, that may be darker than black and lighter than white.
const EXTREMES: usize = 1000;

/// A way to look at a screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// Enlarged, with full contrast and dark letters, as scattered words.
    Words,
    /// The same as one block of lines.
    Lines,
    /// Enlarged, the other way round: the letters may be lighter than most of the screen.
    Inverted,
    /// As it is.
    Raw,
}

impl Variant {
    /// The likeliest first.
    pub const ALL: [Self; 4] = [Self::Words, Self::Lines, Self::Inverted, Self::Raw];

    /// Tesseract's mode of page segmentation.
    pub(super) fn segmentation(self) -> &'static str {
        match self {
            Self::Lines => "6",
            Self::Words | Self::Inverted | Self::Raw => "11",
        }
    }

    /// The picture to read.
    pub(super) fn prepare(self, picture: &GrayImage) -> GrayImage {
        let dark_on_light = match self {
            Self::Raw => return picture.clone(),
            Self::Words | Self::Lines => true,
            Self::Inverted => false,
        };
        let mut stretched = stretch(picture);
        if is_mostly_dark(&stretched) == dark_on_light {
            imageops::invert(&mut stretched);
        }
        let (width, height) = stretched.dimensions();
        imageops::resize(
            &stretched,
            width.saturating_mul(SCALE),
            height.saturating_mul(SCALE),
            FilterType::CatmullRom,
        )
    }
}

pub(super) fn decode(picture: &[u8]) -> ImageResult<GrayImage> {
    let reader = ImageReader::with_format(Cursor::new(picture), ImageFormat::Pnm);
    Ok(reader.decode()?.into_luma8())
}

/// As a portable graymap, which needs no library.
pub(super) fn encode(picture: &GrayImage) -> Vec<u8> {
    let (width, height) = picture.dimensions();
    let mut bytes = format!("P5\n{width} {height}\n255\n").into_bytes();
    bytes.extend_from_slice(picture.as_raw());
    bytes
}

/// Spreads the shades over all there are.
fn stretch(picture: &GrayImage) -> GrayImage {
    let shades = histogram(picture);
    let extreme = picture.as_raw().len() / EXTREMES;
    let black = beyond(shades.iter().enumerate(), extreme);
    let white = beyond(shades.iter().enumerate().rev(), extreme);
    let range = white.saturating_sub(black).max(1);
    let table: Vec<u8> = (0..shades.len())
        .map(|shade| shade.saturating_sub(black) * 255 / range)
        .map(|shade| u8::try_from(shade).unwrap_or(u8::MAX))
        .collect();
    let mut stretched = picture.clone();
    for shade in stretched.iter_mut() {
        *shade = table[usize::from(*shade)];
    }
    stretched
}

/// The first shade with which there are more than `extreme` pixels.
fn beyond<'a>(shades: impl Iterator<Item = (usize, &'a usize)>, extreme: usize) -> usize {
    let mut pixels = 0;
    let mut shades = shades.skip_while(|(_, count)| {
        pixels += **count;
        pixels <= extreme
    });
    shades.next().map_or(0, |(shade, _)| shade)
}

fn is_mostly_dark(picture: &GrayImage) -> bool {
    let dark: usize = histogram(picture)[..128].iter().sum();
    dark > picture.as_raw().len() / 2
}

fn histogram(picture: &GrayImage) -> [usize; 256] {
    let mut counts = [0; 256];
    for shade in picture.as_raw() {
        counts[usize::from(*shade)] += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mostly `ground`, with a letter's stroke.
    fn screen(ground: u8, letter: u8) -> GrayImage {
        GrayImage::from_fn(20, 10, |x, y| {
            let is_letter = x == 3 && (2..8).contains(&y);
            image::Luma([if is_letter { letter } else { ground }])
        })
    }

    /// A pixel of the ground and one of the letter.
    fn shades(variant: Variant, picture: &GrayImage) -> (u8, u8) {
        let prepared = variant.prepare(picture);
        let scale = prepared.width() / picture.width();
        let at = |x, y| {
            prepared
                .get_pixel(x * scale + scale / 2, y * scale + scale / 2)
                .0[0]
        };
        (at(15, 5), at(3, 5))
    }

    #[test]
    fn letters_become_dark_and_large_whatever_they_were() {
        for (ground, letter) in [(0, 170), (60, 90), (255, 0), (200, 120)] {
            let picture = screen(ground, letter);
            for variant in [Variant::Words, Variant::Lines] {
                let (ground, letter) = shades(variant, &picture);
                assert!(ground > 250 && letter < 60, "{ground} {letter}");
            }
            let (ground, letter) = shades(Variant::Inverted, &picture);
            assert!(ground < 5 && letter > 195, "{ground} {letter}");
            assert_eq!(Variant::Raw.prepare(&picture), picture);
        }
        assert_eq!(Variant::Words.prepare(&screen(0, 9)).dimensions(), (80, 40));
    }

    /// A cursor must not be the one thing that is white.
    #[test]
    fn few_extreme_pixels_do_not_count() {
        let mut picture = GrayImage::from_pixel(100, 100, image::Luma([100]));
        for x in 0..50 {
            picture.put_pixel(x, 0, image::Luma([140]));
        }
        picture.put_pixel(0, 50, image::Luma([255]));
        picture.put_pixel(0, 51, image::Luma([0]));
        let stretched = stretch(&picture);
        assert_eq!(stretched.get_pixel(99, 99).0, [0]);
        assert_eq!(stretched.get_pixel(1, 0).0, [255]);
    }

    #[test]
    fn an_empty_screen_is_no_trouble() {
        let picture = screen(7, 7);
        for variant in Variant::ALL {
            variant.prepare(&picture);
        }
    }

    #[test]
    fn pictures_survive_the_way() {
        let picture = screen(10, 20);
        assert_eq!(decode(&encode(&picture)).expect("decoded"), picture);
        assert!(decode(b"P6\n9999999 9999999\n255\n").is_err());
        assert!(decode(b"nonsense").is_err());
    }
}
