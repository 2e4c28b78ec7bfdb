# The same, with the binary kept in the image (about 15 MB) for later commands in the container:
#
#   docker build --file docker/ghost-with-ghostfix.Dockerfile --tag my-ghost .
#   docker run --rm my-ghost ghostfix verify
#
ARG GHOST=ghost:6
FROM ${GHOST}
COPY --from=ghostfix /ghostfix /usr/local/bin/ghostfix
RUN ghostfix patch && ghostfix verify
