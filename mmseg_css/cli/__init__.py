"""The command ``mmseg-css``: a thin file per subcommand. Nothing here imports torch or MMSeg until the work starts."""
