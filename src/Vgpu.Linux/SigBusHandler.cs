using System.Buffers.Binary;
using Vgpu.Linux.Interop;

namespace Vgpu.Linux;

/// <summary>
/// The SIGBUS handler of <see cref="SigBusGuard"/> in machine code (x86-64, System V ABI; sigaction(2)). Managed code
/// can't run inside a signal: the thread may be anywhere, in the collector too.
/// </summary>
internal static unsafe class SigBusHandler
{
    // The table that the handler reads. A header of 64 bytes:
    internal const int SlotsUsedOffset = 0;
    internal const int FaultCountOffset = 8;
    internal const int HeaderSize = 64; // bytes 16 to 47 stay 0: a struct sigaction that says SIG_DFL

    // and slots of 32 bytes, whose sequence is odd while the rest changes:
    internal const int SequenceOffset = 0;
    internal const int StartOffset = 8;
    internal const int EndOffset = 16;
    internal const int PageSizeOffset = 24;
    internal const int SlotSize = 32;

    private const ulong TableMark = 0x1111_1111_1111_1111;
    private const ulong PreviousMark = 0x2222_2222_2222_2222;

    /// <summary>Writes the handler and makes it the process's; the one before is called for all other faults.</summary>
    internal static void Install(byte* table)
    {
        Libc.SigActionArgs action;
        if (Libc.SigAction(Libc.SIGBUS, null, &action) < 0)
        {
            throw LinuxException.Last("sigaction");
        }

        // SIG_DFL and SIG_IGN are no addresses; the kernel ignores SIG_IGN for a fault.
        ReadOnlySpan<byte> tail = action.Handler is 0 or 1 ? DefaultAction : PreviousHandler;
        var code = new byte[Handler.Length + tail.Length];
        Handler.CopyTo(code);
        tail.CopyTo(code.AsSpan(Handler.Length));
        Fill(code, TableMark, (ulong)table);
        Fill(code, PreviousMark, (ulong)action.Handler);

        // Sound: one page holds the code, nobody knows the page yet, and it lives as long as the process. Never writable
        // and executable at once.
        MemoryMapping page = MemoryMapping.Anonymous((ulong)Environment.SystemPageSize);
        code.CopyTo(page.Span);
        if (Libc.MProtect((nint)page.Pointer, (nuint)page.Length, Libc.PROT_READ | Libc.PROT_EXEC) < 0)
        {
            throw LinuxException.Last("mprotect");
        }

        // Mask and stack stay those of the previous handler, which must find what it asked for when it is called: the
        // runtime's would unwind from the small alternate stack.
        action.Handler = (nint)page.Pointer;
        action.Flags |= Libc.SA_SIGINFO;
        if (Libc.SigAction(Libc.SIGBUS, &action, null) < 0)
        {
            throw LinuxException.Last("sigaction");
        }
    }

    private static void Fill(Span<byte> code, ulong mark, ulong value)
    {
        Span<byte> pattern = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(pattern, mark);
        for (int at = code.IndexOf(pattern); at >= 0; at = code.IndexOf(pattern))
        {
            BinaryPrimitives.WriteUInt64LittleEndian(code[at..], value);
        }
    }

    // rdi: the signal, rsi: siginfo_t, rdx: ucontext_t. No libc, so errno stays; sigreturn restores every register.
    private static ReadOnlySpan<byte> Handler =>
    [
        0xf3, 0x0f, 0x1e, 0xfa,                                     //       endbr64
        0x48, 0xb8, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, //       mov rax, table
        0x83, 0x7e, 0x08, 0x02,                                     //       cmp dword [rsi + si_code], BUS_ADRERR
        0x0f, 0x85, 0xa6, 0x00, 0x00, 0x00,                         //       jne chain
        0x48, 0x8b, 0x4e, 0x10,                                     //       mov rcx, [rsi + si_addr]
        0x4c, 0x8b, 0x08,                                           //       mov r9, [rax]            ; slots used
        0x4c, 0x8d, 0x40, 0x40,                                     //       lea r8, [rax + 64]       ; first slot
        0x4d, 0x85, 0xc9,                                           // scan: test r9, r9
        0x0f, 0x84, 0x92, 0x00, 0x00, 0x00,                         //       jz chain
        0x4d, 0x8b, 0x18,                                           //       mov r11, [r8]            ; sequence
        0x41, 0xf6, 0xc3, 0x01,                                     //       test r11b, 1
        0x75, 0x15,                                                 //       jnz next
        0x49, 0x3b, 0x48, 0x08,                                     //       cmp rcx, [r8 + 8]        ; start
        0x72, 0x0f,                                                 //       jb next
        0x49, 0x3b, 0x48, 0x10,                                     //       cmp rcx, [r8 + 16]       ; end
        0x73, 0x09,                                                 //       jae next
        0x4d, 0x8b, 0x50, 0x18,                                     //       mov r10, [r8 + 24]       ; page size
        0x4d, 0x3b, 0x18,                                           //       cmp r11, [r8]            ; unchanged?
        0x74, 0x09,                                                 //       je hit
        0x49, 0x83, 0xc0, 0x20,                                     // next: add r8, 32
        0x49, 0xff, 0xc9,                                           //       dec r9
        0xeb, 0xd0,                                                 //       jmp scan
        0x57, 0x56, 0x52, 0x53,                                     // hit:  push rdi, rsi, rdx, rbx
        0x4c, 0x89, 0xc3,                                           //       mov rbx, r8
        0x4c, 0x89, 0xd6,                                           //       mov rsi, r10             ; length: a page
        0x4c, 0x89, 0xd7,                                           //       mov rdi, r10
        0x48, 0xf7, 0xdf,                                           //       neg rdi
        0x48, 0x21, 0xcf,                                           //       and rdi, rcx             ; address: its page
        0xba, 0x03, 0x00, 0x00, 0x00,                               //       mov edx, PROT_READ | PROT_WRITE
        0x41, 0xba, 0x32, 0x00, 0x00, 0x00,                         //       mov r10d, MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS
        0x49, 0xc7, 0xc0, 0xff, 0xff, 0xff, 0xff,                   //       mov r8, -1
        0x45, 0x31, 0xc9,                                           //       xor r9d, r9d
        0xb8, 0x09, 0x00, 0x00, 0x00,                               //       mov eax, SYS_mmap
        0x0f, 0x05,                                                 //       syscall
        0x48, 0x3d, 0x01, 0xf0, 0xff, 0xff,                         //       cmp rax, -4095
        0x72, 0x20,                                                 //       jb done
        0x48, 0x8b, 0x7b, 0x08,                                     //       mov rdi, [rbx + 8]       ; too many maps: all of
        0x48, 0x8b, 0x73, 0x10,                                     //       mov rsi, [rbx + 16]      ; the range becomes one
        0x48, 0x29, 0xfe,                                           //       sub rsi, rdi
        0xb8, 0x09, 0x00, 0x00, 0x00,                               //       mov eax, SYS_mmap
        0x0f, 0x05,                                                 //       syscall
        0x48, 0x3d, 0x01, 0xf0, 0xff, 0xff,                         //       cmp rax, -4095
        0x72, 0x06,                                                 //       jb done
        0x5b, 0x5a, 0x5e, 0x5f,                                     //       pop rbx, rdx, rsi, rdi
        0xeb, 0x14,                                                 //       jmp chain
        0x48, 0xb8, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, // done: mov rax, table
        0xf0, 0x48, 0xff, 0x40, 0x08,                               //       lock inc qword [rax + 8] ; faults
        0x5b, 0x5a, 0x5e, 0x5f,                                     //       pop rbx, rdx, rsi, rdi
        0xc3,                                                       //       ret
    ];                                                              // chain:

    private static ReadOnlySpan<byte> PreviousHandler =>
    [
        0x48, 0xb8, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, //       mov rax, previous
        0xff, 0xe0,                                                 //       jmp rax
    ];

    // The access is made again after this, and then ends the process.
    private static ReadOnlySpan<byte> DefaultAction =>
    [
        0xb8, 0x0d, 0x00, 0x00, 0x00,                               //       mov eax, SYS_rt_sigaction
        0xbf, 0x07, 0x00, 0x00, 0x00,                               //       mov edi, SIGBUS
        0x48, 0xbe, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, //       mov rsi, table
        0x48, 0x83, 0xc6, 0x10,                                     //       add rsi, 16              ; SIG_DFL
        0x31, 0xd2,                                                 //       xor edx, edx
        0x41, 0xba, 0x08, 0x00, 0x00, 0x00,                         //       mov r10d, sizeof(sigset_t)
        0x0f, 0x05,                                                 //       syscall
        0xc3,                                                       //       ret
    ];
}
