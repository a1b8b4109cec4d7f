# The shop as one image: servers, workers and commands differ in what they are told to run (docs/operating.md).
# The version is that of the optional dependencies node-linux-…, so that a machine with Linux and a container run the same.

FROM docker.io/library/node:24.21.0-bookworm-slim AS build
WORKDIR /shop
# a certificate authority of one's own, for a network that has one; nothing of it gets into the image
ARG NODE_EXTRA_CA_CERTS
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY migrations migrations
COPY src src
RUN npm run build

FROM docker.io/library/node:24.21.0-bookworm-slim AS production
WORKDIR /shop
ARG NODE_EXTRA_CA_CERTS
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --omit=optional --no-audit --no-fund
# With the names of development tools still there, npm would leave out of the list what they need too, such as zod.
RUN npm pkg delete devDependencies optionalDependencies && npm sbom --sbom-format=cyclonedx > sbom.cdx.json
RUN mkdir /data
# for debuggers and compilers, a third of the size
RUN find node_modules -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -delete

FROM docker.io/library/node:24.21.0-bookworm-slim
WORKDIR /shop
COPY --from=production /shop/sbom.cdx.json ./
COPY --from=production /shop/node_modules node_modules
COPY --from=build /shop/dist dist
COPY package.json ecosystem.config.js LICENSE ./
# Nothing is written but below /tmp: pm2's sockets, and what Node has compiled.
ENV NODE_ENV=production PM2_HOME=/tmp/pm2
# Where a volume may be, for secrets that are made up or for embedded storage.
COPY --from=production --chown=1000:1000 /data /data
ENV DATA_DIR=/data
USER 1000:1000
EXPOSE 3000
STOPSIGNAL SIGTERM
# no shell: the program itself asks
HEALTHCHECK --interval=15s --timeout=10s --start-period=60s --retries=3 CMD ["node", "dist/src/commands/health.js"]
# in the place of the script that the base image begins with
ENTRYPOINT ["node"]
CMD ["node_modules/pm2/bin/pm2-runtime", "start", "ecosystem.config.js", "--raw"]
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="shop" \
  org.opencontainers.image.description="An e-commerce backend: accounts, products with stock, and orders" \
  org.opencontainers.image.licenses="MIT" \
  org.opencontainers.image.base.name="docker.io/library/node:24.21.0-bookworm-slim" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}"
