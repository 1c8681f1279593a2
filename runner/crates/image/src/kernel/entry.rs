//! The program that enters the kernel.
//!
//! It is entered in 32-bit mode without paging, with the address of the boot parameters in `esi`, and enters the kernel in
//! 64-bit mode with the first 4 GiB mapped to themselves, and that address in `rsi`. Its page tables are part of the file.

/// Bytes of the program with all that belongs to it.
pub(super) const LENGTH: usize = PAGES * PAGE;

/// The program's own page, and its tables: one of the first level, one of the second, four of the third.
const PAGES: usize = 7;

const PAGE: usize = 4096;

/// Where the descriptor table lies in the first page, and what tells its place and size.
const DESCRIPTORS: usize = 0xa0;
const DESCRIPTORS_PLACE: usize = 0x80;

/// Nothing, nothing, 64-bit code (selector 0x10), data (0x18): what Linux expects at its entry.
const DESCRIPTOR_TABLE: [u64; 4] = [0, 0, 0x00af_9a00_0000_ffff, 0x00cf_9200_0000_ffff];

/// The table's last byte.
const DESCRIPTORS_LIMIT: u16 = 4 * 8 - 1;

/// An entry of a page table that is present and writable.
const PRESENT: u64 = 0b11;

/// An entry of the third level that is a page of 2 MiB itself.
const LARGE: u64 = 1 << 7;

const LARGE_PAGE: u64 = 2 << 20;

/// The program for the place `address`, which enters the kernel at `kernel`.
pub(super) fn program(address: usize, kernel: u32) -> Vec<u8> {
    let at = |offset: usize| u32::try_from(address + offset).unwrap_or(u32::MAX);
    let [tables, descriptors, long_mode] =
        [PAGE, DESCRIPTORS_PLACE, LONG_MODE].map(|offset| at(offset).to_le_bytes());
    let code: [&[u8]; 21] = [
        &[0xfa],             // cli
        &[0xfc],             // cld
        &[0x0f, 0x20, 0xe0], // mov eax, cr4
        &[0x83, 0xc8, 0x20], // or eax, 1 << 5 (physical address extension)
        &[0x0f, 0x22, 0xe0], // mov cr4, eax
        &[0xb8],             // mov eax, (tables)
        &tables,
        &[0x0f, 0x22, 0xd8],             // mov cr3, eax
        &[0xb9, 0x80, 0x00, 0x00, 0xc0], // mov ecx, 0xc0000080 (extended features)
        &[0x0f, 0x32],                   // rdmsr
        &[0x0d, 0x00, 0x01, 0x00, 0x00], // or eax, 1 << 8 (long mode)
        &[0x0f, 0x30],                   // wrmsr
        &[0x0f, 0x01, 0x15],             // lgdt [(descriptors)]
        &descriptors,
        &[0x0f, 0x20, 0xc0],             // mov eax, cr0
        &[0x0d, 0x01, 0x00, 0x00, 0x80], // or eax, 1 << 31 | 1 (paging, protection)
        &[0x0f, 0x22, 0xc0],             // mov cr0, eax
        &[0xea],                         // jmp 0x10:(long mode)
        &long_mode,
        &[0x10, 0x00],
        // From here on in 64-bit mode: the upper half of rsi is cleared.
        &[0x89, 0xf6, 0xb8], // mov esi, esi; mov eax, (kernel)
    ];
    let mut page = code.concat();
    page.extend(kernel.to_le_bytes());
    page.extend([0xff, 0xe0]); // jmp rax
    page.resize(DESCRIPTORS_PLACE, 0);
    page.extend(DESCRIPTORS_LIMIT.to_le_bytes());
    page.extend(at(DESCRIPTORS).to_le_bytes());
    page.resize(DESCRIPTORS, 0);
    page.extend(
        DESCRIPTOR_TABLE
            .iter()
            .flat_map(|entry| entry.to_le_bytes()),
    );
    page.resize(PAGE, 0);

    let table = |page: usize| u64::from(at(page * PAGE)) | PRESENT;
    let first = [table(2)].to_vec();
    let second = (3..PAGES).map(table).collect();
    let third = (0..4 * 512).map(|number| (number * LARGE_PAGE) | LARGE | PRESENT);
    for entries in [first, second, third.collect::<Vec<u64>>()] {
        page.extend(entries.iter().flat_map(|entry| entry.to_le_bytes()));
        page.resize(page.len().next_multiple_of(PAGE), 0);
    }
    page
}

/// Where the program goes on in 64-bit mode.
const LONG_MODE: usize = 0x3a;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jumps_and_tables_lead_where_they_should() {
        let program = program(0x10_0000, 0x0100_0c43);
        assert_eq!(program.len(), LENGTH);
        let u32_at = |at: usize| u32::from_le_bytes(*program[at..].first_chunk().expect("there"));
        let u64_at = |at: usize| u64::from_le_bytes(*program[at..].first_chunk().expect("there"));
        assert_eq!(&program[LONG_MODE..LONG_MODE + 3], [0x89, 0xf6, 0xb8]);
        assert_eq!(u32_at(LONG_MODE + 3), 0x0100_0c43);
        assert_eq!(
            (program[LONG_MODE - 7], u32_at(LONG_MODE - 6)),
            (0xea, 0x10_003a)
        );
        assert_eq!((program[0x0b], u32_at(0x0c)), (0xb8, 0x10_1000));
        assert_eq!(u32_at(DESCRIPTORS_PLACE + 2), 0x10_00a0);
        // The address 0xfeedf00d by way of the tables.
        let second = u64_at(PAGE) & !0xfff;
        let third = u64_at(usize::try_from(second).expect("low") - 0x10_0000 + 3 * 8) & !0xfff;
        let index = 0xfeed_f00d / LARGE_PAGE % 512;
        let entry = usize::try_from(third + index * 8).expect("low") - 0x10_0000;
        assert_eq!(u64_at(entry), 0xfee0_0000 | LARGE | PRESENT);
    }
}
