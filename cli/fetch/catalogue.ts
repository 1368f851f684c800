/** The data sets that can be fetched: where they are, and what their files have to be. */

/** A file as its publisher has it. */
export interface PublishedFile {
  readonly name: string;
  readonly bytes: number;
  /** SHA-256, in hexadecimal digits. */
  readonly sha256: string;
}

/** A file of an archive, whose digest covers it; what is not published of the file itself is absent. */
export type Member = Pick<PublishedFile, "name"> & Partial<PublishedFile>;

export interface PublishedSet {
  readonly name: string;
  /** Addresses of folders that hold the files, in the order to try them. */
  readonly mirrors: readonly string[];
  readonly files: readonly PublishedFile[];
  /** Of a set that comes as one archive (tar, gzip): the files that are taken out of it, by their names without folders. */
  readonly members?: readonly Member[];
}

const file = (name: string, bytes: number, sha256: string) => ({ name, bytes, sha256 });

export const catalogue: readonly PublishedSet[] = [
  {
    name: "mnist",
    mirrors: [
      "https://ossci-datasets.s3.amazonaws.com/mnist",
      "https://storage.googleapis.com/cvdf-datasets/mnist",
      "http://yann.lecun.com/exdb/mnist",
    ],
    files: [
      file("train-images-idx3-ubyte.gz", 9_912_422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
      file("train-labels-idx1-ubyte.gz", 28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
      file("t10k-images-idx3-ubyte.gz", 1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
      file("t10k-labels-idx1-ubyte.gz", 4542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
    ],
  },
  {
    name: "fashion-mnist",
    mirrors: [
      "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
      "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion",
    ],
    files: [
      file(
        "train-images-idx3-ubyte.gz",
        26_421_880,
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
      ),
      file("train-labels-idx1-ubyte.gz", 29_515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
      file("t10k-images-idx3-ubyte.gz", 4_422_102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
      file("t10k-labels-idx1-ubyte.gz", 5148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
    ],
  },
  {
    name: "cifar-10",
    mirrors: [
      "https://www.cs.toronto.edu/~kriz",
      "https://cave.cs.toronto.edu/kriz",
      "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10",
    ],
    files: [
      file("cifar-10-binary.tar.gz", 170_052_171, "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"),
    ],
    members: [
      file("data_batch_1.bin", 30_730_000, "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5"),
      file("data_batch_2.bin", 30_730_000, "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed"),
      file("data_batch_3.bin", 30_730_000, "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67"),
      file("data_batch_4.bin", 30_730_000, "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48"),
      file("data_batch_5.bin", 30_730_000, "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add"),
      file("test_batch.bin", 30_730_000, "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b"),
      { name: "batches.meta.txt" },
    ],
  },
];
