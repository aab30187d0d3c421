using Vgpu.Screens;

namespace Vgpu.Viewers.Feed;

/// <summary>A head as the feed lists it.</summary>
/// <param name="Index">Its number on its screen.</param>
/// <param name="State">As it is now.</param>
/// <param name="MaxMode">The longest sides that it may have; null where the server is too old to say.</param>
public readonly record struct FeedHeadInfo(int Index, HeadState State, DisplayMode? MaxMode);
