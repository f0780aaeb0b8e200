// SPDX-License-Identifier: GPL-2.0
/*
 * What the firmware of a Raspberry Pi tells the kernel of its health, as a test sets it by the parameters of this module:
 * the file get_throttled and the clearing of its upper half, to which the kernel's own raspberrypi-hwmon listens, and the
 * processor's thermal zone.
 */
#include <linux/device.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/thermal.h>
#include <soc/bcm2835/raspberrypi-firmware.h>

static unsigned int throttled;
module_param(throttled, uint, 0644);
MODULE_PARM_DESC(throttled, "GET_THROTTLED: bit 0 under-voltage, 1 capped, 2 throttled, 3 soft limit; from 16: since the start");

static int temperature = 50000;
module_param(temperature, int, 0644);
MODULE_PARM_DESC(temperature, "thousandths of a degree Celsius");

static struct platform_device *soc, *firmware, *hwmon;
static struct thermal_zone_device *zone;

int rpi_firmware_property(struct rpi_firmware *fw, u32 tag, void *data, size_t size)
{
	u32 *value = data;
	u32 cleared = *value << 16;

	if (tag != RPI_FIRMWARE_GET_THROTTLED || size != sizeof(*value))
		return -EINVAL;
	/* The firmware clears what was asked for and then sets it again where it lasts. */
	*value = throttled;
	throttled = (throttled & ~cleared) | (throttled & 0xf) << 16;
	return 0;
}
EXPORT_SYMBOL_GPL(rpi_firmware_property);

static ssize_t get_throttled_show(struct device *dev, struct device_attribute *attr, char *text)
{
	return sysfs_emit(text, "%x\n", throttled);
}
static DEVICE_ATTR_RO(get_throttled);

static int get_temp(struct thermal_zone_device *tz, int *value)
{
	*value = temperature;
	return 0;
}
static const struct thermal_zone_device_ops zone_ops = { .get_temp = get_temp };

static int __init bench_init(void)
{
	struct platform_device_info info = { .name = "soc:firmware", .id = PLATFORM_DEVID_NONE };
	int ret;

	soc = platform_device_register_simple("soc", PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(soc))
		return PTR_ERR(soc);
	info.parent = &soc->dev;
	firmware = platform_device_register_full(&info);
	if (IS_ERR(firmware)) {
		ret = PTR_ERR(firmware);
		goto no_firmware;
	}
	ret = device_create_file(&firmware->dev, &dev_attr_get_throttled);
	if (ret)
		goto no_file;
	info = (struct platform_device_info){
		.name = "raspberrypi-hwmon", .id = PLATFORM_DEVID_NONE, .parent = &firmware->dev,
	};
	hwmon = platform_device_register_full(&info);
	if (IS_ERR(hwmon)) {
		ret = PTR_ERR(hwmon);
		goto no_file;
	}
	zone = thermal_tripless_zone_device_register("cpu-thermal", NULL, &zone_ops, NULL);
	if (!IS_ERR(zone))
		return thermal_zone_device_enable(zone);
	ret = PTR_ERR(zone);
	platform_device_unregister(hwmon);
no_file:
	platform_device_unregister(firmware);
no_firmware:
	platform_device_unregister(soc);
	return ret;
}
module_init(bench_init);

static void __exit bench_exit(void)
{
	thermal_zone_device_unregister(zone);
	platform_device_unregister(hwmon);
	device_remove_file(&firmware->dev, &dev_attr_get_throttled);
	platform_device_unregister(firmware);
	platform_device_unregister(soc);
}
module_exit(bench_exit);

MODULE_DESCRIPTION("The health of a Raspberry Pi, for tests");
MODULE_LICENSE("GPL");
