//! DCMTK: storescu to storescp, what hospitals have today.

use std::fs;
use std::path::PathBuf;

use super::{Client, Delivered, First, Peer, Plan, words};
use crate::lab::Side;
use crate::measure::Run;

const PORT: u16 = 14_242;
/// DCMTK leaves Nagle's algorithm on unless it is told not to.
const NODELAY: (&str, &str) = ("TCP_NODELAY", "1");

pub(super) fn all() -> Vec<Box<dyn Peer>> {
    vec![
        Box::new(Store {
            name: "storescu",
            what: "DCMTK storescu to storescp as shipped",
            associations: 1,
            tuned: false,
        }),
        Box::new(Store {
            name: "storescu-nodelay",
            what: "DCMTK storescu to storescp, TCP_NODELAY=1",
            associations: 1,
            tuned: true,
        }),
        Box::new(Store {
            name: "storescu-nodelay-4",
            what: "DCMTK storescu to storescp, TCP_NODELAY=1, 4 associations",
            associations: 4,
            tuned: true,
        }),
    ]
}

struct Store {
    name: &'static str,
    what: &'static str,
    associations: usize,
    tuned: bool,
}

impl Peer for Store {
    fn name(&self) -> String {
        self.name.into()
    }

    fn what(&self) -> String {
        self.what.into()
    }

    fn needs(&self) -> Vec<PathBuf> {
        vec!["storescu".into(), "storescp".into()]
    }

    fn start(&self, run: &mut Run<'_>) -> anyhow::Result<Plan> {
        let variables = if self.tuned {
            vec![NODELAY]
        } else {
            Vec::new()
        };
        let (target, port) = (
            run.target().to_string_lossy().into_owned(),
            PORT.to_string(),
        );
        let server = Client {
            variables: variables.clone(),
            ..Client::new(
                Side::Hospital,
                words(&["storescp", "-od", &target, "--fork", &port]),
            )
        };
        run.serve_port(server, PORT)?;
        let host = run.address(Side::Hospital);
        let mut clients = Vec::new();
        for index in 0..self.associations {
            // A folder of links is each association's share.
            let share = run.state().join(format!("share-{index}"));
            fs::create_dir(&share)?;
            for path in super::share(run.study().files(), index, self.associations) {
                fs::hard_link(path, share.join(path.file_name().unwrap_or_default()))?;
            }
            let share = share.to_string_lossy().into_owned();
            let client = Client::new(
                Side::Archive,
                words(&["storescu", "+sd", host, &port, &share]),
            );
            clients.push(Client {
                variables: variables.clone(),
                ..client
            });
        }
        Ok(Plan {
            clients,
            first: First::File {
                folder: run.target().into(),
                bytes: run.study().first_data_bytes(),
            },
            delivered: Delivered::DataSets(run.target().into()),
            ..Plan::default()
        })
    }
}
