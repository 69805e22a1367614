//! The first pass over a study: which series it has, and in which order their frames lie.

use std::collections::BTreeMap;

use super::ReadInstance;
use super::order::along_normal;
use super::report::{NotDrawn, Reason};
use crate::dicom::{self, Geometry, InstanceFacts, ReadOptions};

/// An instance with pixels.
#[derive(Debug, Clone)]
pub(super) struct Shot {
    pub(super) instance: usize,
    pub(super) sop_instance_uid: String,
    pub(super) frames: u32,
    pub(super) rows: u16,
    pub(super) columns: u16,
    pub(super) number: i64,
    pub(super) geometry: Geometry,
}

/// The instances of a series with pixels, in geometric order.
#[derive(Debug, Clone)]
pub(super) struct Series {
    pub(super) shots: Vec<Shot>,
    pub(super) frames: u64,
    number: i64,
}

/// The study.
#[derive(Debug, Default)]
pub(super) struct Survey {
    pub(super) instances: usize,
    pub(super) series: Vec<Series>,
    pub(super) without_pixels: usize,
    pub(super) not_read: Vec<NotDrawn>,
}

impl Survey {
    /// Reads the header of each instance.
    pub(super) fn of(instances: usize, read: &ReadInstance<'_>) -> Self {
        let mut survey = Self {
            instances,
            ..Self::default()
        };
        let mut series: BTreeMap<String, Series> = BTreeMap::new();
        for instance in 0..instances {
            let facts = read(instance)
                .map_err(|error| Reason::Io(error.kind()))
                .and_then(|bytes| {
                    dicom::read(&bytes, &ReadOptions::default()).map_err(Reason::NotTaken)
                });
            match facts {
                Ok(facts) => match Shot::of(instance, &facts) {
                    Some(shot) => {
                        let entry = series.entry(facts.series_uid).or_insert_with(|| Series {
                            shots: Vec::new(),
                            frames: 0,
                            number: facts.series_number.unwrap_or(i64::MAX),
                        });
                        entry.frames = entry.frames.saturating_add(u64::from(shot.frames));
                        entry.shots.push(shot);
                    }
                    None => survey.without_pixels = survey.without_pixels.saturating_add(1),
                },
                Err(reason) => survey.not_read.push(NotDrawn {
                    instance,
                    sop_instance_uid: None,
                    frame: 0,
                    reason,
                }),
            }
        }
        survey.series = series.into_values().collect();
        survey.series.sort_by_key(|series| series.number);
        for series in &mut survey.series {
            series.sort();
        }
        survey
    }
}

impl Shot {
    fn of(instance: usize, facts: &InstanceFacts) -> Option<Self> {
        let pixels = facts.pixels.as_ref().filter(|pixels| pixels.present)?;
        Some(Self {
            instance,
            sop_instance_uid: facts.sop_instance_uid.clone(),
            frames: pixels.frames.max(1),
            rows: pixels.rows,
            columns: pixels.columns,
            number: facts.instance_number.unwrap_or(i64::MAX),
            geometry: facts.geometry.clone(),
        })
    }
}

impl Series {
    /// By where the slices lie when all say so in the same orientation, else by their numbers.
    fn sort(&mut self) {
        let orientation = self
            .shots
            .first()
            .and_then(|shot| shot.geometry.orientation);
        let places: Option<Vec<f64>> = self
            .shots
            .iter()
            .map(|shot| {
                let same = shot.geometry.orientation == orientation;
                let position = shot.geometry.position.filter(|_| same)?;
                Some(along_normal(position, orientation?))
            })
            .collect();
        match places {
            Some(places) => {
                let mut placed: Vec<(f64, Shot)> =
                    places.into_iter().zip(self.shots.drain(..)).collect();
                placed.sort_by(|(a, first), (b, second)| {
                    a.total_cmp(b).then(first.number.cmp(&second.number))
                });
                self.shots.extend(placed.into_iter().map(|(_, shot)| shot));
            }
            None => self.shots.sort_by_key(|shot| shot.number),
        }
    }

    /// The instance and its frame at a position of the series.
    pub(super) fn at(&self, position: u64) -> Option<(&Shot, u32)> {
        let mut before = 0_u64;
        for shot in &self.shots {
            let after = before.saturating_add(u64::from(shot.frames));
            if position < after {
                let frame = u32::try_from(position.saturating_sub(before)).ok()?;
                return Some((shot, frame));
            }
            before = after;
        }
        None
    }

    /// Slices of one size and orientation at different places.
    pub(super) fn is_volume(&self) -> bool {
        let Some(first) = self.shots.first() else {
            return false;
        };
        let alike = |shot: &Shot| {
            shot.frames == 1
                && (shot.rows, shot.columns) == (first.rows, first.columns)
                && shot.geometry.orientation == first.geometry.orientation
                && shot.geometry.position.is_some()
        };
        first.geometry.orientation.is_some()
            && first.geometry.pixel_spacing.is_some()
            && self.shots.iter().all(alike)
    }

    /// What makes a series the one to show: a volume, then many pixels.
    pub(super) fn worth(&self) -> (bool, u64) {
        let pixels = self
            .shots
            .iter()
            .map(|shot| u64::from(shot.rows) * u64::from(shot.columns) * u64::from(shot.frames));
        let volume = self.is_volume() && self.shots.len() > 2;
        (volume, pixels.fold(0, u64::saturating_add))
    }
}
