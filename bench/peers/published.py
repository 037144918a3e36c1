"""python published.py FOLDER

Architectures as timm, transformers and torchvision have them, with weights at random; text models with few layers and
channels, images of few pixels. Nothing is downloaded. As `architectures.py` writes them.
"""

import os
import sys
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import timm
import torch
import torchvision.models as vision
import transformers
from torch import nn

from exporting import write_all

folder = Path(sys.argv[1])


def named(name, build):
    build.__name__ = name
    return build


class Picked(nn.Module):
    """A model of which one output is looked at."""

    def __init__(self, module, pick):
        super().__init__()
        self.module, self.pick = module, pick

    def forward(self, first, second=None):
        return self.pick(self.module, *(one for one in (first, second) if one is not None))


def with_statistics(module, images):
    """Batch norms that have seen something: of those that have not, rounding is all that is left after many layers."""
    module.train()
    with torch.no_grad():
        module(torch.cat([images, torch.randn_like(images)]))
    return module


def of_timm(name):
    def build():
        module = timm.create_model(name, pretrained=False, num_classes=10)
        facts = module.default_cfg
        size = facts["input_size"][-1] if facts.get("fixed_input_size") else 96
        images = torch.randn(1, 3, size, size)
        return with_statistics(module, images), {"image": images}, {}

    return named(name, build)


def of_torchvision(name, make, pick=None):
    def build():
        images = torch.randn(1, 3, 64, 64)
        module = with_statistics(make(), images)
        return (module if pick is None else Picked(module, pick)), {"image": images}, {}

    return named(name, build)


ids, mask = torch.arange(16)[None] * 37 % 900 + 5, torch.ones(1, 16, dtype=torch.int64)
free_length = {"input_ids": {1: "length"}, "attention_mask": {1: "length"}}
sizes = {"num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 128, "hidden_size": 64}


def model_of(kind, config, options):
    return getattr(transformers, kind)(getattr(transformers, config)(**options))


def of_text(name, kind, config, **more):
    def build():
        options = {"vocab_size": 1000, **sizes, "attn_implementation": "eager", **more}
        pick = lambda module, tokens, kept: module(input_ids=tokens, attention_mask=kept)[0]
        inputs = {"input_ids": ids, "attention_mask": mask}
        return Picked(model_of(kind, config, options), pick), inputs, free_length

    return named(name, build)


def of_tokens(name, kind, config, **options):
    def build():
        pick = lambda module, tokens: module(input_ids=tokens, use_cache=False)[0]
        module = model_of(kind, config, {"vocab_size": 1000, "use_cache": False, **options})
        return Picked(module, pick), {"input_ids": ids}, {"input_ids": {1: "length"}}

    return named(name, build)


def of_images(name, kind, config, images=None, **options):
    def build():
        pick = lambda module, pixels: module(pixel_values=pixels)[0]
        given = torch.randn(1, 3, 64, 64) if images is None else images
        return Picked(model_of(kind, config, options), pick), {"pixels": given}, {}

    return named(name, build)


def of_sound(name, kind, config):
    def build():
        layers = {"conv_dim": (32, 32, 32), "conv_stride": (5, 2, 2), "conv_kernel": (10, 3, 3)}
        places = {"num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 4}
        options = {**sizes, **layers, **places, "attn_implementation": "eager"}
        pick = lambda module, wave: module(wave)[0]
        return Picked(model_of(kind, config, options), pick), {"wave": torch.randn(1, 4000)}, {}

    return named(name, build)


def whisper_encoder():
    options = {"d_model": 64, "encoder_layers": 2, "encoder_attention_heads": 4, "encoder_ffn_dim": 128}
    rest = {"decoder_layers": 1, "decoder_attention_heads": 4, "decoder_ffn_dim": 128, "vocab_size": 1000}
    marks = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 1}
    config = {**options, **rest, **marks, "max_source_positions": 100, "attn_implementation": "eager"}
    encoder = model_of("WhisperModel", "WhisperConfig", config).encoder
    return Picked(encoder, lambda module, mel: module(mel)[0]), {"mel": torch.randn(1, 80, 200)}, {}


def patch_series():
    options = {"context_length": 64, "prediction_length": 16, "num_input_channels": 3, "d_model": 32}
    layers = {"ffn_dim": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    module = model_of("PatchTSTForPrediction", "PatchTSTConfig", {**options, **layers})
    pick = lambda module, series: module(past_values=series).prediction_outputs
    return Picked(module, pick), {"series": torch.randn(1, 64, 3)}, {}


embedded = {"embedding_size": 64}
marks = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "cls_token_id": 3, "sep_token_id": 4}
patches = {**sizes, "image_size": 64, "patch_size": 16}

texts = [
    of_text("bert", "BertModel", "BertConfig"),
    of_text("roberta", "RobertaModel", "RobertaConfig"),
    of_text("albert", "AlbertModel", "AlbertConfig", embedding_size=32),
    of_text("electra", "ElectraModel", "ElectraConfig", embedding_size=32),
    of_text("mpnet", "MPNetModel", "MPNetConfig"),
    of_text("deberta", "DebertaV2Model", "DebertaV2Config", relative_attention=True, pos_att_type=["p2c", "c2p"]),
    of_text("distilbert", "DistilBertModel", "DistilBertConfig", dim=64, n_layers=2, n_heads=4, hidden_dim=128),
    of_text("convbert", "ConvBertModel", "ConvBertConfig", **embedded),
    of_text("squeezebert", "SqueezeBertModel", "SqueezeBertConfig", **embedded),
    of_text("roformer", "RoFormerModel", "RoFormerConfig", **embedded),
    of_text("mobilebert", "MobileBertModel", "MobileBertConfig", embedding_size=32, intra_bottleneck_size=32),
    of_text("modernbert", "ModernBertModel", "ModernBertConfig", **marks),
    of_tokens("gpt2", "GPT2LMHeadModel", "GPT2Config", n_embd=64, n_layer=2, n_head=4, attn_implementation="eager"),
    of_tokens("llama", "LlamaForCausalLM", "LlamaConfig", **sizes, num_key_value_heads=2, attn_implementation="eager"),
]
pictures = [
    of_images("vit", "ViTModel", "ViTConfig", **patches),
    of_images("beit", "BeitModel", "BeitConfig", **patches, use_relative_position_bias=True),
    of_images("yolos", "YolosForObjectDetection", "YolosConfig", **{**patches, "image_size": [64, 64]}, num_detection_tokens=10),
    of_images("clip", "CLIPVisionModel", "CLIPVisionConfig", **patches),
    of_images("siglip", "SiglipVisionModel", "SiglipVisionConfig", **patches),
    of_images(
        "segformer",
        "SegformerForSemanticSegmentation",
        "SegformerConfig",
        depths=[1, 1, 1, 1],
        hidden_sizes=[16, 32, 48, 64],
        decoder_hidden_size=32,
    ),
    of_images(
        "swin2sr",
        "Swin2SRForImageSuperResolution",
        "Swin2SRConfig",
        images=torch.randn(1, 3, 32, 32),
        image_size=32,
        patch_size=1,
        embed_dim=32,
        depths=[1, 1],
        num_heads=[2, 2],
        window_size=8,
    ),
]
sounds = [of_sound("wav2vec2", "Wav2Vec2Model", "Wav2Vec2Config"), of_sound("hubert", "HubertModel", "HubertConfig")]
small = [
    of_torchvision("shufflenet_v2", lambda: vision.shufflenet_v2_x0_5(num_classes=10)),
    of_torchvision("squeezenet", lambda: vision.squeezenet1_1(num_classes=10)),
    of_torchvision(
        "lraspp",
        lambda: vision.segmentation.lraspp_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=5),
        lambda module, images: module(images)["out"],
    ),
]


def of_frames(name, make):
    """Frames of a film, one behind the other."""

    def build():
        frames = torch.randn(1, 3, 8, 32, 32)
        return with_statistics(make(), frames), {"frames": frames}, {}

    return named(name, build)


def optical_flow():
    """Where each place of one picture is in the next."""
    module = Picked(vision.optical_flow.raft_small(), lambda module, *images: module(*images, num_flow_updates=3)[-1])
    return module, {"first": torch.rand(1, 3, 128, 128), "next": torch.rand(1, 3, 128, 128)}, {}


moving = [
    of_frames("mc3", lambda: vision.video.mc3_18(num_classes=10)),
    of_frames(
        "swin3d",
        lambda: vision.video.SwinTransformer3d(
            patch_size=[2, 4, 4], embed_dim=24, depths=[2, 2], num_heads=[2, 4], window_size=[2, 4, 4], num_classes=10
        ),
    ),
    optical_flow,
]
both = [*texts, *pictures, *sounds, whisper_encoder, patch_series, *small, *moving]
images = [
    *["mobilenetv3_small_050", "mobilenetv4_conv_small_050", "efficientnet_lite0", "mnasnet_small", "lcnet_035"],
    *["ghostnet_050", "ghostnetv3_050", "repghostnet_050", "regnety_002", "dla46_c", "ese_vovnet19b_slim_dw"],
    *["convnext_atto", "convnextv2_atto", "inception_next_atto", "starnet_s1", "shvit_s1", "repvit_m0_9"],
    *["mobilevit_xxs", "mobilevitv2_050", "edgenext_xx_small", "efficientvit_b0", "efficientvit_m0", "fastvit_t8"],
    *["efficientformerv2_s0", "levit_128s", "pvt_v2_b0", "xcit_nano_12_p16_224"],
]
write_all(both, folder)
# Their modules are long, and torch.export takes as long for them as all else.
write_all(map(of_timm, images), folder, ["tracing"])
