//! Money beside a decimal type: whole fen against `rust_decimal` with two places, on the same amounts.

use std::hint::black_box;

use mic_benches::{Group, Seed, run, size};
use mic_billing::{Fen, Party, Ppm, Rounding, UnitPrice, allocate};
use rust_decimal::{Decimal, RoundingStrategy};

/// What is aimed at: rust_decimal's time over ours.
const AIM: f64 = 5.0;

fn main() -> anyhow::Result<()> {
    run(vec![
        pairs(
            "billing: adding two amounts",
            Fen::plus,
            Decimal::checked_add,
        ),
        pairs(
            "billing: taking one amount from another",
            Fen::minus,
            Decimal::checked_sub,
        ),
        sums(),
        prices()?,
        parts()?,
        splits()?,
    ]);
    Ok(())
}

/// One checked operation on each pair of neighbours; the results are mixed into one word.
fn pairs(
    title: &str,
    ours: impl Fn(Fen, Fen) -> Result<Fen, mic_billing::MoneyError> + Copy + 'static,
    theirs: impl Fn(Decimal, Decimal) -> Option<Decimal> + Copy + 'static,
) -> Group {
    let amounts = amounts();
    let fens: Vec<Fen> = amounts.iter().map(|fen| Fen::new(*fen)).collect();
    let decimals: Vec<Decimal> = amounts.iter().map(|fen| Decimal::new(*fen, 2)).collect();
    let mix = |mixed: i64, fen: i64| mixed.rotate_left(1) ^ fen;
    // The expected answer by a third arithmetic: 128-bit words.
    let sign = ours(Fen::ZERO, Fen::new(1)).map_or(0, Fen::get);
    let expected = amounts.windows(2).fold(0, |mixed, two| {
        mix(
            mixed,
            (i128::from(two[0]) + i128::from(sign) * i128::from(two[1])) as i64,
        )
    });
    let count = amounts.len() as u64 - 1;
    Group::new(title, "operation")
        .with(
            "mic-billing `Fen`, checked",
            count,
            &Some(expected),
            move || {
                let mut pairs = black_box(&fens).windows(2);
                pairs.try_fold(0, |mixed, two| {
                    Some(mix(mixed, ours(two[0], two[1]).ok()?.get()))
                })
            },
        )
        .with("rust_decimal, checked", count, &Some(expected), move || {
            let mut pairs = black_box(&decimals).windows(2);
            pairs.try_fold(0, |mixed, two| {
                Some(mix(mixed, theirs(two[0], two[1])?.mantissa() as i64))
            })
        })
        .goal(AIM)
}

/// A column of amounts, added up with a check for overflow.
fn sums() -> Group {
    let amounts = amounts();
    let fens: Vec<Fen> = amounts.iter().map(|fen| Fen::new(*fen)).collect();
    let decimals: Vec<Decimal> = amounts.iter().map(|fen| Decimal::new(*fen, 2)).collect();
    let total: i64 = amounts.iter().sum();
    let count = amounts.len() as u64;
    Group::new("billing: adding up a column", "amount")
        .with(
            "mic-billing `Fen::sum`, checked",
            count,
            &Some(Fen::new(total)),
            move || Fen::sum(black_box(&fens).iter().copied()).ok(),
        )
        .with(
            "rust_decimal `checked_add`",
            count,
            &Some(Decimal::new(total, 2)),
            move || {
                let mut amounts = black_box(&decimals).iter();
                amounts.try_fold(Decimal::ZERO, |sum, amount| sum.checked_add(*amount))
            },
        )
        .goal(AIM)
}

/// Prices of six decimals times a count, half away from zero, to whole fen.
fn prices() -> anyhow::Result<Group> {
    let mut seed = Seed::new(0x5fe4);
    let rows: Vec<(i64, u64)> = (0..size(100_000, 1_000))
        .map(|_| (seed.below(10_000_000) as i64, seed.below(100_000)))
        .collect();
    let expected: i64 = rows
        .iter()
        .map(|(micro, count)| ((i128::from(*micro) * i128::from(*count) + 5_000) / 10_000) as i64)
        .sum();
    let ours: Option<Vec<(UnitPrice, u64)>> = rows
        .iter()
        .map(|(micro, count)| Some((UnitPrice::from_micro_yuan(*micro)?, *count)))
        .collect();
    let ours = ours.ok_or_else(|| anyhow::anyhow!("a price"))?;
    let theirs: Vec<(Decimal, Decimal)> = rows
        .iter()
        .map(|(micro, count)| (Decimal::new(*micro, 6), Decimal::from(*count)))
        .collect();
    let count = rows.len() as u64;
    Ok(
        Group::new("billing: a unit price times a count, rounded", "product")
            .with(
                "mic-billing `UnitPrice::total`",
                count,
                &Some(expected),
                move || {
                    let mut rows = black_box(&ours).iter();
                    rows.try_fold(0, |sum, (price, count)| {
                        Some(sum + price.total(*count, Rounding::HalfUp).ok()?.get())
                    })
                },
            )
            .with(
                "rust_decimal `checked_mul` and `round_dp`",
                count,
                &Some(Decimal::new(expected, 2)),
                move || {
                    let mut rows = black_box(&theirs).iter();
                    rows.try_fold(Decimal::ZERO, |sum, (price, count)| {
                        Some(sum + rounded(price.checked_mul(*count)?))
                    })
                },
            )
            .goal(AIM),
    )
}

/// Seven tenths and something of each amount, half away from zero, to whole fen.
fn parts() -> anyhow::Result<Group> {
    const PPM: i64 = 703_125;
    let amounts = amounts();
    let share = Ppm::new(PPM as u32).ok_or_else(|| anyhow::anyhow!("a share"))?;
    let fens: Vec<Fen> = amounts.iter().map(|fen| Fen::new(*fen)).collect();
    let decimals: Vec<Decimal> = amounts.iter().map(|fen| Decimal::new(*fen, 2)).collect();
    let expected: i64 = amounts
        .iter()
        .map(|fen| (fen * PPM + fen.signum() * 500_000) / 1_000_000)
        .sum();
    let count = amounts.len() as u64;
    let ratio = Decimal::new(PPM, 6);
    Ok(
        Group::new("billing: a share of each amount, rounded", "amount")
            .with(
                "mic-billing `Fen::part`",
                count,
                &Some(expected),
                move || {
                    let mut amounts = black_box(&fens).iter();
                    amounts.try_fold(0, |sum, amount| {
                        Some(sum + amount.part(black_box(share), Rounding::HalfUp).ok()?.get())
                    })
                },
            )
            .with(
                "rust_decimal `checked_mul` and `round_dp`",
                count,
                &Some(Decimal::new(expected, 2)),
                move || {
                    let mut amounts = black_box(&decimals).iter();
                    amounts.try_fold(Decimal::ZERO, |sum, amount| {
                        Some(sum + rounded(amount.checked_mul(black_box(ratio))?))
                    })
                },
            )
            .goal(AIM),
    )
}

/// Each amount split among three by the largest remainder, equal ones by the order of the names.
fn splits() -> anyhow::Result<Group> {
    const WEIGHTS: [(Party, u64); 3] = [
        (Party::Hospital, 333_333),
        (Party::StorageVendor, 416_667),
        (Party::TransferOperator, 250_000),
    ];
    let amounts = amounts();
    let fens: Vec<Fen> = amounts.iter().map(|fen| Fen::new(*fen)).collect();
    let decimals: Vec<Decimal> = amounts.iter().map(|fen| Decimal::new(*fen, 2)).collect();
    let weights = WEIGHTS.map(|(party, weight)| (party, Decimal::from(weight)));
    let mix = |mixed: i64, fen: i64| mixed.rotate_left(1) ^ fen;
    let expected = amounts.iter().fold(0, |mixed, fen| {
        split_in_words(*fen, &WEIGHTS.map(|(_, weight)| weight))
            .iter()
            .fold(mixed, |mixed, part| mix(mixed, *part))
    });
    let count = amounts.len() as u64;
    Ok(Group::new(
        "billing: an amount split among three, nothing lost",
        "amount",
    )
    .with(
        "mic-billing `allocate`",
        count,
        &Some(expected),
        move || {
            let mut amounts = black_box(&fens).iter();
            amounts.try_fold(0, |mixed, amount| {
                let shares = allocate(*amount, black_box(&WEIGHTS)).ok()?;
                Some(
                    shares
                        .iter()
                        .fold(mixed, |mixed, (_, part)| mix(mixed, part.get())),
                )
            })
        },
    )
    .with(
        "the same in rust_decimal",
        count,
        &Some(expected),
        move || {
            let mut amounts = black_box(&decimals).iter();
            amounts.try_fold(0, |mixed, amount| {
                let shares = split_in_decimals(*amount, black_box(&weights))?;
                Some(
                    shares
                        .iter()
                        .fold(mixed, |mixed, (_, part)| mix(mixed, part.mantissa() as i64)),
                )
            })
        },
    )
    .goal(AIM))
}

/// The expected answer, by 128-bit words and no library.
fn split_in_words(fen: i64, weights: &[u64]) -> Vec<i64> {
    let total: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
    let products: Vec<i128> = weights
        .iter()
        .map(|weight| i128::from(fen.unsigned_abs()) * i128::from(*weight))
        .collect();
    let mut parts: Vec<i64> = products
        .iter()
        .map(|product| (product / total) as i64)
        .collect();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(products[*at] % total));
    let left = fen.unsigned_abs() as i64 - parts.iter().sum::<i64>();
    order
        .into_iter()
        .take(left as usize)
        .for_each(|at| parts[at] += 1);
    parts.into_iter().map(|part| part * fen.signum()).collect()
}

/// As one writes it with decimals: exact parts cut to two places, the rest dealt out by cents.
fn split_in_decimals(
    amount: Decimal,
    weights: &[(Party, Decimal)],
) -> Option<Vec<(Party, Decimal)>> {
    let total: Decimal = weights.iter().map(|(_, weight)| *weight).sum();
    let cent = Decimal::new(if amount.is_sign_negative() { -1 } else { 1 }, 2);
    let mut left = amount;
    let mut shares = Vec::with_capacity(weights.len());
    let mut rests = Vec::with_capacity(weights.len());
    for (place, (party, weight)) in weights.iter().enumerate() {
        let exact = amount.checked_mul(*weight)?.checked_div(total)?;
        let mut whole = exact.round_dp_with_strategy(2, RoundingStrategy::ToZero);
        whole.rescale(2);
        left = left.checked_sub(whole)?;
        shares.push((*party, whole));
        rests.push(((exact - whole).abs(), *party, place));
    }
    rests.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    for (_, _, place) in rests {
        if left.is_zero() {
            break;
        }
        shares[place].1 = shares[place].1.checked_add(cent)?;
        left = left.checked_sub(cent)?;
    }
    Some(shares)
}

fn rounded(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}

fn amounts() -> Vec<i64> {
    let mut seed = Seed::new(0xfe4);
    (0..size(100_000, 1_000))
        .map(|_| seed.below(2_000_000) as i64 - 1_000_000)
        .collect()
}
