namespace Vgpu.Screens;

// Who a monitor says it is, in EDID's base block and in a DisplayID section alike.
internal readonly record struct EdidIdentity(string ManufacturerId, ushort ProductCode, int Serial, int ModelYear);
