#!/usr/bin/env bash
# A patient's consent from the first key to the insurer's reconciliation, by `mic consent` alone.
#
#   cargo build -p mic-cli && mkdir story && cd story && PATH="$OLDPWD/target/debug:$PATH" bash ../examples/cli/stories/consent.sh
#
# It writes its files where it stands, which should be an empty folder. What it prints is kept in consent.md
# beside it, and a test compares. Persons, codes and keys are made up; with MIC_TEST_SEED they repeat, which is
# for trials alone.
set -euo pipefail
export MIC_TEST_SEED=${MIC_TEST_SEED:-a story}

# Prints a command, what it says, and how it ended.
run() {
    local code=0
    printf '$ mic consent'
    printf ' %s' "$@"
    printf '\n'
    mic consent "$@" 2>error.txt || code=$?
    grep -v MIC_TEST_SEED error.txt || true
    ((code == 0)) || printf '(exit code %s)\n' "$code"
    printf '\n'
}

say() { printf '%s\n\n' "$*"; }
begin() { printf '## %s\n\n```console\n' "$*"; }
end() { printf '```\n\n'; }

day=2026-11-18

# What only some may know comes from files, never from the command line.
umask 077
printf '61012519900417123498765417\n' >person.txt
printf '61012519900417123498765417-202603090915-000000000-0000000000000-12610102MA6TEST001/1.2.826.0.1.3680043.10.543.7\n' >record-1.txt
printf '61012519900417123498765417-202410211030-000000000-0000000000000-12610102MA6TEST001/1.2.826.0.1.3680043.10.543.8\n' >record-2.txt
cat record-1.txt record-2.txt >records.txt
printf '告知书（虚构）：您的影像资料将提供给测试医院，用于诊疗，两小时内有效，可随时撤回。\n' >notice.txt
umask 022

say "# A patient's consent on the command line"
say "Made by [consent.sh](consent.sh), and compared with what it prints by a test. A patient whose earlier CT lies in
Shaanxi is seen in Beijing. Everybody and everything is made up."

begin "Keys, and whom all nodes trust"
run keygen --owner ROOT00 --role root --out root-1 --now ${day}T00:00:00Z
run keygen --owner ROOT00 --role root --out root-2 --now ${day}T00:00:00Z
run keygen --owner H11010500001 --role request --out hospital --now ${day}T00:00:00Z
run keygen --owner CONSENT01 --role grant,status --out authority --now ${day}T00:00:00Z
run keygen --owner ARCHIVE61 --role log --province 61 --out archive --now ${day}T00:00:00Z
run keygen --owner INSURER11 --role log --out insurer --now ${day}T00:00:00Z
run keyset sign --root root-1.key --root root-2.key --out keyset-1.json --now ${day}T00:10:00Z \
    hospital.pub.json authority.pub.json archive.pub.json insurer.pub.json
run keyset adopt --roots root-1.pub.json --roots root-2.pub.json --trust trust.json keyset-1.json --now ${day}T00:20:00Z
end

begin "The hospital asks, and shows a code"
run request --key hospital.key --purpose treatment --modality CT,MR --from 2024-01-01 --until $day \
    --department A03.05 --out request.txt --now ${day}T09:00:00Z
run qr request.txt --png request.png
run inspect request.txt
end
say "![The code that the patient scans](request.png)"

begin "The patient's phone checks what it scanned; the patient agrees to two studies"
run check --trust trust.json request.txt --now ${day}T09:00:20Z
run status issue --key authority.key --trust trust.json --list 3 --out list-1.mics --now ${day}T09:00:00Z
run grant --key authority.key --trust trust.json --request request.txt --person person.txt --records records.txt \
    --notice notice.txt --check face --ticked sensitive,hand-over --status 3:70001 --opening opening.txt \
    --out grant.txt --now ${day}T09:00:40Z
end

begin "The hospital narrows it to one study, one archive, ten minutes, and uses it"
run narrow --key hospital.key --trust trust.json --grant grant.txt --opening opening.txt --records record-1.txt \
    --place 61:ARCHIVE61 --life 600 --out narrowed.txt --now ${day}T09:01:00Z
run present --key hospital.key --trust trust.json --grant grant.txt --narrowed narrowed.txt --opening opening.txt \
    --place 61:ARCHIVE61 --record record-1.txt --out presented-1.json --now ${day}T09:01:10Z
run check --trust trust.json --status list-1.mics --presented presented-1.json --place 61:ARCHIVE61 \
    --person person.txt --record record-1.txt --day 2026-03-09 --modality CT --guard archive.guard \
    --key archive.key --receipt receipt-1.txt --now ${day}T09:01:12Z
say "The same proof again, and the other study, are refused:"
run check --trust trust.json --status list-1.mics --presented presented-1.json --place 61:ARCHIVE61 \
    --person person.txt --record record-1.txt --day 2026-03-09 --modality CT --guard archive.guard \
    --now ${day}T09:01:14Z
run present --key hospital.key --trust trust.json --grant grant.txt --narrowed narrowed.txt --opening opening.txt \
    --place 61:ARCHIVE61 --record record-2.txt --out presented-2.json --now ${day}T09:01:20Z
run check --trust trust.json --status list-1.mics --presented presented-2.json --place 61:ARCHIVE61 \
    --person person.txt --record record-2.txt --day 2024-10-21 --modality CT --guard archive.guard \
    --now ${day}T09:01:22Z
end

begin "The archive's log, and its witness"
run log append --log archive.log --trust trust.json receipt-1.txt --now ${day}T09:02:00Z
run log head --log archive.log --trust trust.json --key archive.key --out head-1.txt --now ${day}T09:02:00Z
run log witness --key insurer.key --trust trust.json --head head-1.txt --out witness-1.txt --now ${day}T09:02:10Z
end

begin "The patient withdraws"
run withdraw --key authority.key --trust trust.json --grant grant.txt --out withdrawal.txt --now ${day}T09:05:00Z
run status hear --trust trust.json --node ARCHIVE61 --heard archive.heard withdrawal.txt --now ${day}T09:05:01Z
run status issue --key authority.key --trust trust.json --after list-1.mics --withdrawal withdrawal.txt \
    --out list-2.mics --now ${day}T09:06:00Z
run status of --trust trust.json --status list-1.mics --status archive.heard grant.txt --now ${day}T09:05:02Z
run status of --trust trust.json --status list-2.mics grant.txt --now ${day}T09:06:01Z
say "With what it heard, before any new list, the archive serves nothing more:"
run present --key hospital.key --trust trust.json --grant grant.txt --opening opening.txt --place 61:ARCHIVE61 \
    --record record-2.txt --out presented-3.json --now ${day}T09:05:10Z
run check --trust trust.json --status list-1.mics --status archive.heard --presented presented-3.json \
    --place 61:ARCHIVE61 --person person.txt --record record-2.txt --day 2024-10-21 --modality CT \
    --guard archive.guard --now ${day}T09:05:12Z
end

begin "A machine of the archive that was not told serves all the same, and the reconciliation finds it"
run check --trust trust.json --status list-1.mics --presented presented-3.json --place 61:ARCHIVE61 \
    --person person.txt --record record-2.txt --day 2024-10-21 --modality CT --guard forgetful.guard \
    --key archive.key --receipt receipt-2.txt --now ${day}T09:05:14Z
run log append --log archive.log --trust trust.json receipt-2.txt --now ${day}T09:07:00Z
run log head --log archive.log --trust trust.json --key archive.key --out head-2.txt --now ${day}T09:07:00Z
run log prove --log archive.log --trust trust.json --entry 0 --out in.proof --now ${day}T09:07:10Z
run log verify --trust trust.json --head head-2.txt --receipt receipt-1.txt --proof in.proof --now ${day}T09:08:00Z
run log prove --log archive.log --trust trust.json --grew-from 1 --out grew.proof --now ${day}T09:07:10Z
run log verify --trust trust.json --head head-2.txt --older head-1.txt --proof grew.proof --now ${day}T09:08:00Z
run log verify --trust trust.json --head head-2.txt --receipt receipt-2.txt --proof in.proof --now ${day}T09:08:00Z
run reconcile --trust trust.json grant.txt receipt-1.txt archive.heard --now ${day}T20:00:00Z
run reconcile --trust trust.json grant.txt archive.log archive.heard --now ${day}T20:00:00Z
end
