# A Ghost for PlanetScale. The binary is only mounted for the step: nothing but the patched files and the receipt
# (/var/lib/ghost/versions/*/.ghostfix) stays in the image.
#
#   docker build --file docker/ghost.Dockerfile --tag my-ghost .
#
ARG GHOST=ghost:6
FROM ${GHOST}
RUN --mount=type=bind,from=ghostfix,source=/ghostfix,target=/usr/local/bin/ghostfix \
    ghostfix patch && ghostfix verify
