using Vgpu.Screens;

namespace Vgpu.Viewers.Feed;

/// <summary>A head as the feed lists it.</summary>
public readonly record struct FeedHeadInfo(int Index, HeadState State);
